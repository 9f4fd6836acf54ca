import { MICROS_PER_SECOND, type Instant } from '../../core/time.js';
import { allOf, PAGE } from '../../platform/outbound/stripe/asking.js';
import type { OwnAccount } from '../../platform/outbound/stripe/own-account.js';
import { SUBSCRIPTION_EVENTS } from '../../platform/outbound/stripe/told-types.js';
import type { Sql } from '../../platform/sql/sql.js';
import { putMissed } from './catch-up.js';
import type { InboxMessage } from './inbox-store.js';
import { linkedCustomers } from './linked-customers.js';
import type { StripeInbox } from './stripe-inbox.js';
import { ASKED_INVOICE, ASKED_SUBSCRIPTION } from './told-event.js';

export interface BackfillDeps {
  readonly sql: Sql;
  readonly inbox: StripeInbox;
  readonly clock: () => Instant;
  readonly onProgress: (message: string) => void;
  readonly signal: AbortSignal;
}

export interface BackfillReport {
  readonly customers: number;
  /** Of subscriptions, from Stripe's own list, which goes 30 days back. */
  readonly events: number;
  readonly subscriptions: number;
  readonly invoices: number;
  /** Tried again, since they could not be taken care of before. */
  readonly retried: number;
}

/**
 * Asks Stripe for what it has of every customer that is linked or was, and puts each into the inbox like a webhook: what was told already is not told
 * again, and one that was killed goes on where its rows are. Events of subscriptions come first, since they tell what was; the
 * subscriptions themselves only tell what is.
 *
 * @param since only invoices made from then on; subscriptions are asked for whatever their age
 */
export async function backfill(deps: BackfillDeps, since: Instant | null): Promise<BackfillReport> {
  const { sql, inbox, clock, onProgress, signal } = deps;
  const { own } = inbox;
  const retried = await inbox.store.retryFailed(clock());
  const customers = await linkedCustomers(sql, own.account);
  onProgress(`events of the last 30 days, for ${customers.length} customers`);
  const linked = new Set(customers);
  const events = await putMissed(inbox, { types: SUBSCRIPTION_EVENTS, since: null, linked }, clock);
  await inbox.drain();
  let subscriptions = 0;
  let invoices = 0;
  for (const [index, customer] of customers.entries()) {
    if (signal.aborted) break;
    onProgress(`customer ${index + 1} of ${customers.length}`);
    subscriptions += await putSubscriptions(deps, customer);
    invoices += await putInvoices(deps, customer, since);
    await inbox.drain();
  }
  return { customers: customers.length, events, subscriptions, invoices, retried };
}

async function putSubscriptions({ inbox, clock }: BackfillDeps, customer: string): Promise<number> {
  const found = await allOf(() =>
    inbox.own.stripe.subscriptions.list({ customer, status: 'all', limit: PAGE }),
  );
  for (const { id } of found) {
    await inbox.store.putAgain(
      asked(ASKED_SUBSCRIPTION, { id, object: 'subscription', customer }, inbox.own, clock()),
      clock(),
    );
  }
  return found.length;
}

async function putInvoices(
  { inbox, clock }: BackfillDeps,
  customer: string,
  since: Instant | null,
): Promise<number> {
  const created = since === null ? {} : { created: { gte: Number(since / MICROS_PER_SECOND) } };
  const found = await allOf(() => inbox.own.stripe.invoices.list({ customer, ...created, limit: PAGE }));
  const issued = found.filter(({ status }) => status !== 'draft');
  for (const { id } of issued) {
    await inbox.store.putAgain(
      asked(ASKED_INVOICE, { id, object: 'invoice', customer }, inbox.own, clock()),
      clock(),
    );
  }
  return issued.length;
}

/** What we ask for, written as an event would be. */
function asked(
  type: string,
  object: { readonly id: string; readonly object: string; readonly customer: string },
  { account: { mode } }: OwnAccount,
  now: Instant,
): InboxMessage {
  const eventId = `backfill ${object.id}`;
  const created = Number(now / MICROS_PER_SECOND);
  const event = { id: object.id, type, created, livemode: mode === 'live', data: { object } };
  return { eventId, type, raw: Buffer.from(JSON.stringify(event)), customerId: object.customer };
}
