import { z } from 'zod';
import { allocate } from '../../core/money.js';
import { parseInstant, type Instant } from '../../core/time.js';
import { fraction, plus, rounded, times, type Fraction } from './fraction.js';
import { inEventOrder, type StandingEvent } from './standing-events.js';

/*
 * MRR worked out a second time, plainly: per subscription the last state before an instant, its items brought to one month in exact
 * fractions, each rounded once. Amounts off only where all items of a subscription have one interval.
 */
const Item = z.object({
  productId: z.string(),
  quantity: z.union([z.string(), z.number()]),
  unitAmountMinor: z.union([z.string(), z.number()]).transform(BigInt),
  interval: z.enum(['week', 'month', 'quarter', 'year']),
  intervalCount: z.number(),
});
const Discount = z.object({
  percentOff: z.union([z.string(), z.number()]).optional(),
  amountOffMinor: z.union([z.string(), z.number()]).transform(BigInt).optional(),
  endsAt: z.string().optional(),
});
const State = z.object({
  subscriptionId: z.string(),
  currency: z.string(),
  status: z.string().optional(),
  items: z.array(Item).optional(),
  discounts: z.array(Discount).optional(),
  trialEndsAt: z.string().optional(),
  effectiveAt: z.string().optional(),
});
const Org = z.object({ flags: z.array(z.string()).optional() });

/** What one event's state of a subscription is worth a month at an instant. */
export interface OpenSubscription {
  readonly orgId: string;
  readonly currency: string;
  /** `source id` of the event whose state is in force. */
  readonly event: string;
  readonly mrrMinor: bigint;
  readonly isTrial: boolean;
}

interface Dated {
  readonly event: StandingEvent;
  readonly state: z.output<typeof State>;
  readonly from: Instant;
}

/** Orgs that are in no number: test and internal ones, by their last state. */
export function excludedOrgs(events: readonly StandingEvent[]): ReadonlySet<string> {
  const excluded = new Set<string>();
  for (const { type, subject, data } of events) {
    if (type !== 'org.upserted') continue;
    const flags = Org.parse(data).flags ?? [];
    if (flags.includes('test') || flags.includes('internal')) excluded.add(subject);
    else excluded.delete(subject);
  }
  return excluded;
}

/** Every subscription that runs just before `at`, trials included; `events` in event order. */
export function openSubscriptions(events: readonly StandingEvent[], at: Instant): OpenSubscription[] {
  const excluded = excludedOrgs(events);
  const last = new Map<string, Dated>();
  for (const event of events) {
    if (!event.type.startsWith('subscription.') || excluded.has(event.subject)) continue;
    const state = State.parse(event.data);
    const from = state.effectiveAt === undefined ? event.at : parseInstant(state.effectiveAt);
    if (from >= at) continue;
    const key = `${event.subject}\n${state.subscriptionId}`;
    const known = last.get(key);
    if (known === undefined || isAfter({ event, state, from }, known)) last.set(key, { event, state, from });
  }
  return [...last.values()].flatMap((dated) => worthOf(dated, at) ?? []);
}

function isAfter(a: Dated, b: Dated): boolean {
  return a.from === b.from ? inEventOrder(a.event, b.event) > 0 : a.from > b.from;
}

function worthOf({ event, state }: Dated, at: Instant): OpenSubscription | null {
  if (event.type === 'subscription.canceled' || event.type === 'subscription.paused') return null;
  const status = state.status ?? 'active';
  if (!['active', 'past_due', 'trialing'].includes(status)) return null;
  const trialEnd = state.trialEndsAt === undefined ? null : parseInstant(state.trialEndsAt);
  const isTrial = trialEnd === null ? status === 'trialing' : trialEnd >= at;
  return {
    orgId: event.subject,
    currency: state.currency,
    event: `${event.source} ${event.id}`,
    mrrMinor: isTrial ? 0n : monthlyMinor(state, at),
    isTrial,
  };
}

function decimal(value: string | number): Fraction {
  const [whole = '0', digits = ''] = String(value).split('.');
  return fraction(BigInt(whole + digits), 10n ** BigInt(digits.length));
}

function monthlyMinor({ items = [], discounts = [], currency }: z.output<typeof State>, at: Instant): bigint {
  const active = discounts.filter(({ endsAt }) => endsAt === undefined || parseInstant(endsAt) >= at);
  const kept = active.reduce(
    (share, { percentOff }) =>
      percentOff === undefined
        ? share
        : times(share, plus(fraction(1n), times(decimal(percentOff), fraction(-1n, 100n)))),
    fraction(1n),
  );
  const off = active.reduce((sum, { amountOffMinor }) => sum + (amountOffMinor ?? 0n), 0n);
  const gross = items.map((item) => times(decimal(item.quantity), fraction(item.unitAmountMinor)));
  const discounted = gross.map((amount) => times(amount, kept));
  const shares = sharesOf(off, gross, discounted, currency);
  if (off > 0n && new Set(items.map((item) => `${item.interval} ${item.intervalCount}`)).size > 1) {
    throw new Error('an amount off over items of several intervals: this oracle has no opinion');
  }
  return items.reduce((sum, item, index) => {
    const net = plus(discounted[index] ?? fraction(0n), fraction(-(shares[index] ?? 0n)));
    return sum + (net.num < 0n ? 0n : rounded(times(net, perMonth(item))));
  }, 0n);
}

/** An amount off, capped at what is asked for, spread over the items by their size. */
function sharesOf(
  off: bigint,
  gross: readonly Fraction[],
  discounted: readonly Fraction[],
  currency: string,
): bigint[] {
  const asked = discounted.reduce((sum, amount) => plus(sum, amount), fraction(0n));
  const weights = gross.map(rounded);
  const capped = off * asked.den > asked.num ? asked.num / asked.den : off;
  if (capped === 0n || weights.every((weight) => weight === 0n)) return gross.map(() => 0n);
  return allocate({ amountMinor: capped, currency }, weights).map(({ amountMinor }) => amountMinor);
}

function perMonth({ interval, intervalCount }: z.output<typeof Item>): Fraction {
  const count = BigInt(intervalCount);
  return {
    week: fraction(52n, 12n * count),
    month: fraction(1n, count),
    quarter: fraction(1n, 3n * count),
    year: fraction(1n, 12n * count),
  }[interval];
}
