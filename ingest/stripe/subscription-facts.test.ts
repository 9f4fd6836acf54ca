import { describe, expect, test } from 'vitest';
import { parseDecimal } from '../../core/decimal.js';
import { validateEvent } from '../../core/events/validate-event.js';
import { parseInstant } from '../../core/time.js';
import type { ReadPrice } from '../../platform/outbound/stripe/read-price.js';
import type { SubscriptionState } from '../../platform/outbound/stripe/read-subscription.js';
import { eventLine, type Fact } from './fact.js';
import { changeFacts, digestOfFact, lifeFacts, presentFact } from './subscription-facts.js';
import { sha256 } from '../../platform/sha256.js';

// 2026-09-01T00:00:00Z
const AT = 1_788_220_800;
const DAY = 86_400;
const NOW = parseInstant('2026-11-01T00:00:00Z');
const kindOf = (productId: string) => (productId === 'seats' ? ('addon' as const) : null);

const price = (more: Partial<ReadPrice> = {}): ReadPrice => ({
  ...{ priceId: 'price_1', productId: 'growth', kind: null, every: { interval: 'month', count: 1 } },
  ...{ isMetered: false, unit: parseDecimal('4900'), tiers: null, packages: null },
  ...more,
});
const state = (more: Partial<SubscriptionState> = {}): SubscriptionState => ({
  ...{ subscriptionId: 'sub_1', customerId: 'cus_1', currency: 'USD', status: 'active', createdAt: AT },
  ...{ startedAt: AT, endedAt: null, trialEndsAt: null, anchorAt: AT, pause: null, reason: null },
  ...{ items: [{ itemId: 'si_1', quantity: 1, price: price() }], discounts: [] },
  ...more,
});
const valid = (facts: Fact[]): Fact[] => {
  for (const one of facts) {
    const event: unknown = JSON.parse(eventLine(one, 'stripe/acct_1/test', 'org_1'));
    expect(validateEvent(event, NOW, 0)).toMatchObject({ ok: true });
  }
  return facts;
};
const change = (
  before: SubscriptionState | null,
  after: SubscriptionState,
  type = 'customer.subscription.updated',
) => valid(changeFacts({ ...{ eventId: 'evt_1', type, at: AT + DAY, rank: 2 }, before, after }, kindOf));
const itemOf = (sold: Partial<ReadPrice>, quantity: number | null): unknown =>
  (
    change(null, state({ items: [{ itemId: 'si_1', quantity, price: price(sold) }] }))[0]?.data[
      'items'
    ] as unknown[]
  )[0];

describe('an item', () => {
  test('of a plain price has its quantity and what one costs', () => {
    expect(itemOf({}, 3)).toMatchObject({
      kind: 'plan',
      productId: 'growth',
      quantity: 3n,
      unitAmountMinor: 4_900n,
    });
  });

  test('that the catalog has as an add-on is one; a mark says it first', () => {
    expect(itemOf({ productId: 'seats' }, 1)).toMatchObject({ kind: 'addon' });
    expect(itemOf({ productId: 'seats', kind: 'package' }, 1)).toMatchObject({ kind: 'package' });
  });

  test('of graduated tiers is told as what the quantity costs as a whole', () => {
    // 10 at $5.00, then $4.00: 15 cost 10 × 5 + 5 × 4 = $70.00.
    const each = [
      { upTo: 10n, unit: parseDecimal('500'), flat: parseDecimal('0') },
      { upTo: null, unit: parseDecimal('400'), flat: parseDecimal('0') },
    ];
    expect(itemOf({ tiers: { mode: 'graduated', each } }, 15)).toMatchObject({
      quantity: 1n,
      unitAmountMinor: 7_000n,
    });
    // By volume all 15 are at $4.00.
    expect(itemOf({ tiers: { mode: 'volume', each } }, 15)).toMatchObject({ unitAmountMinor: 6_000n });
  });

  test('in packages of ten is told as the packages begun', () => {
    const sold = { packages: { size: 10n, round: 'up' as const }, unit: parseDecimal('1000') };
    expect(itemOf(sold, 21)).toMatchObject({ quantity: 1n, unitAmountMinor: 3_000n });
  });

  test('of parts of a cent is rounded once, for all of it', () => {
    // 3 at 0.5 cents: 1.5, half away from zero: 2.
    expect(itemOf({ unit: parseDecimal('0.5') }, 3)).toMatchObject({ quantity: 1n, unitAmountMinor: 2n });
  });

  test('by use is worth nothing before it is used', () => {
    expect(itemOf({ isMetered: true }, null)).toMatchObject({ quantity: 1n, unitAmountMinor: 0n });
  });

  test('paid every 14 days is paid every two weeks; every 10 days has no name', () => {
    expect(itemOf({ every: { interval: 'day', count: 14 } }, 1)).toMatchObject({
      interval: 'week',
      intervalCount: 2,
    });
    expect(() => itemOf({ every: { interval: 'day', count: 10 } }, 1)).toThrow(/sell by week, month or year/);
  });
});

describe('a change', () => {
  test('of nothing that is sold is not told', () => {
    expect(change(state(), state())).toEqual([]);
  });

  test('is told with its event, in the second of it, in the order of that second', () => {
    expect(change(state(), state({ status: 'past_due' }))).toMatchObject([
      { factId: 'subscription.changed/evt_1', at: parseInstant('2026-09-02T00:00:00.000002Z') },
    ]);
  });

  test('to a pause that gives time away rests, and back goes on; one that keeps invoices does neither', () => {
    const resting = state({ pause: 'void' });
    expect(change(state(), resting)[0]).toMatchObject({
      type: 'subscription.paused',
      data: { status: 'paused' },
    });
    expect(change(resting, state())[0]).toMatchObject({
      type: 'subscription.resumed',
      data: { status: 'active' },
    });
    expect(change(state(), state({ pause: 'keep_as_draft' }))).toEqual([]);
  });

  test('to its end is one event, by whichever of Stripe’s it is known', () => {
    const over = state({ status: 'canceled', endedAt: AT + DAY, reason: 'payment_failed' });
    const [byEnd] = change(null, over, 'customer.subscription.deleted');
    const [byChange] = change(state(), over);
    expect(byEnd).toEqual(byChange);
    expect(byEnd).toMatchObject({
      factId: 'subscription.canceled/sub_1',
      data: { reason: 'payment_failed' },
    });
  });

  test('that began earlier than it was made counts from then', () => {
    const [started] = change(null, state({ startedAt: AT - DAY }), 'customer.subscription.created');
    expect(started?.data['effectiveAt']).toBe('2026-08-31T00:00:00Z');
  });

  test('keeps its discounts and the end of its trial', () => {
    const discounts = [
      { percentOff: '12.5', amountOff: null, endsAt: AT + DAY },
      { percentOff: null, amountOff: 500n, endsAt: null },
    ];
    const [told] = change(null, state({ discounts, trialEndsAt: AT + 7 * DAY }));
    expect(told?.data).toMatchObject({
      discounts: [{ percentOff: '12.5', endsAt: '2026-09-02T00:00:00Z' }, { amountOffMinor: 500n }],
      trialEndsAt: '2026-09-08T00:00:00Z',
    });
  });
});

describe('a subscription of which no event told', () => {
  const typesOf = (facts: readonly Fact[]) => facts.map(({ type, data }) => [type, data['status']]);

  test('began when it was made, with what it holds now; its trial ended when Stripe says', () => {
    const facts = valid(lifeFacts(state({ trialEndsAt: AT + 7 * DAY }), NOW, kindOf));
    expect(typesOf(facts)).toEqual([
      ['subscription.started', 'trialing'],
      ['subscription.changed', 'active'],
    ]);
    expect(facts[1]?.at).toBe(parseInstant('2026-09-08T00:00:00Z'));
  });

  test('whose trial goes on is told as one that is tried', () => {
    expect(typesOf(lifeFacts(state({ trialEndsAt: AT + 90 * DAY }), NOW, kindOf))).toEqual([
      ['subscription.started', 'trialing'],
    ]);
  });

  test('stands as it was told last: nothing more is told; else how it stands, from when we asked', () => {
    const [last] = lifeFacts(state(), NOW, kindOf);
    const told = last === undefined ? null : { factId: last.factId, digest: digestOfFact(last, sha256) };
    expect(presentFact(state(), { askedAt: NOW, last: told }, kindOf, sha256)).toBeNull();
    const unpaid = presentFact(state({ status: 'unpaid' }), { askedAt: NOW, last: told }, kindOf, sha256);
    expect(unpaid).toMatchObject({ type: 'subscription.changed', at: NOW, data: { status: 'unpaid' } });
    const over = state({ status: 'canceled', endedAt: AT + DAY });
    expect(presentFact(over, { askedAt: NOW, last: told }, kindOf, sha256)).toMatchObject({
      ...{ type: 'subscription.canceled', at: parseInstant('2026-09-02T00:00:00.001Z') },
    });
  });
});
