import { lt } from 'drizzle-orm';
import { MICROS_PER_DAY, MICROS_PER_SECOND, type Instant } from '../../core/time.js';
import { allOf } from '../../platform/outbound/stripe/asking.js';
import { idOf } from '../../platform/outbound/stripe/id-of.js';
import { listEvents } from '../../platform/outbound/stripe/read-events.js';
import { MONEY_EVENTS, SUBSCRIPTION_EVENTS } from '../../platform/outbound/stripe/told-types.js';
import { ofAccount } from '../../platform/sql/of-account.js';
import { stripeCatchUps } from '../../platform/sql/stripe-schema.js';
import type { InboxStore } from './inbox-store.js';
import type { StripeInbox } from './stripe-inbox.js';

interface Missed {
  readonly types: Parameters<typeof listEvents>[1];
  readonly since: Instant | null;
  /** Only of these customers; null: of all. */
  readonly linked: ReadonlySet<string> | null;
}

/** Ample for webhooks that are on their way, and for clocks that differ. */
const OVERLAP = 3_600n * MICROS_PER_SECOND;
const FIRST_LOOK = MICROS_PER_DAY;

/**
 * A webhook that never came is in Stripe's list all the same: looks from shortly before the last look that came to its end. What came
 * since says nothing of what did not: after an outage, the first webhook is of now.
 */
export async function catchUp(inbox: StripeInbox, clock: () => Instant): Promise<number> {
  const began = clock();
  const last = await lookedUntil(inbox.store);
  const since = last === null ? began - FIRST_LOOK : last - OVERLAP;
  const types = [...SUBSCRIPTION_EVENTS, ...MONEY_EVENTS];
  const put = await putMissed(inbox, { types, since, linked: null }, clock);
  await keepLookedUntil(inbox.store, began);
  return put;
}

async function lookedUntil({ sql, account }: InboxStore): Promise<Instant | null> {
  const [row] = await sql.database
    .select({ at: stripeCatchUps.lookedUntil })
    .from(stripeCatchUps)
    .where(ofAccount(stripeCatchUps, account));
  return row?.at ?? null;
}

/** Forward only: of two that look at once, the one that began first may end last. */
async function keepLookedUntil({ sql, account }: InboxStore, until: Instant): Promise<void> {
  await sql.database
    .insert(stripeCatchUps)
    .values({ ...account, lookedUntil: until })
    .onConflictDoUpdate({
      target: [stripeCatchUps.account, stripeCatchUps.mode],
      set: { lookedUntil: until },
      setWhere: lt(stripeCatchUps.lookedUntil, until),
    });
}

/** Puts what is not there yet into the inbox, the oldest first, as it would have come. Returns how many. */
export async function putMissed(
  inbox: StripeInbox,
  { types, since, linked }: Missed,
  clock: () => Instant,
): Promise<number> {
  const created = since === null ? {} : { gte: Number(since / MICROS_PER_SECOND) };
  const newestFirst = await allOf(() => listEvents(inbox.own.stripe, types, created));
  let put = 0;
  for (const event of newestFirst.reverse()) {
    const { object } = event.data;
    const customerId = 'customer' in object && !Array.isArray(object.customer) ? idOf(object.customer) : null;
    if (linked !== null && (customerId === null || !linked.has(customerId))) continue;
    const raw = Buffer.from(JSON.stringify(event));
    const message = { eventId: event.id, type: event.type, raw, customerId };
    if ((await inbox.store.put(message, clock())) === 'stored') put += 1;
  }
  return put;
}
