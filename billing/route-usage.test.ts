import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { SubscriptionEvent } from './subscription-timeline.js';
import { addMonths, formatDate, formatInstant, parseDate } from '../core/time.js';
import {
  at,
  between,
  catalogOf,
  pack,
  plan,
  rate,
  summary,
  told,
  uses,
  type Item,
  type Used,
} from '../test/support/rating.js';

const APRIL = between('2026-04-01T00:00:00Z', '2026-05-01T00:00:00Z');
const metered = (quantity: string) => ({
  allowances: { ops: { quantity } },
  overage: { ops: { model: 'per_unit', amount: '0.01', currency: 'USD' } },
});
const yearly = { amount: '490.00', currency: 'USD', interval: 'year' };
const catalog = catalogOf({
  plans: {
    monthly: plan(metered('100')),
    yearly: plan({ ...metered('1200'), price: yearly }),
    plain: plan(),
  },
  packages: { digest: pack(metered('50')), report: pack(metered('70')), plain_pack: pack() },
  bundles: {
    pair: { name: 'Pair', summary: 'Two', packages: ['digest', 'report'], discount: { percent: '10' } },
  },
});
const second = { subscriptionId: 'sub_2' };
const digest: Item = { kind: 'package', productId: 'digest' };
const MARCH_10 = '2026-03-10T00:00:00Z';

function bySubscription(
  events: readonly SubscriptionEvent[],
  used: readonly Used[],
  ending = APRIL,
): string[] {
  return rate(catalog, events, used, ending).questions.map(({ lineId, metered: one }) => {
    const ids = rate(catalog, events, used, ending).counted.get(lineId) ?? [];
    return `${one.subscriptionId}: ${ids.join(', ')}`;
  });
}
const named = (id: string, time: string, more: Partial<Used> = {}): Used => uses(1, time, { id, ...more });

describe('usage of a package', () => {
  const main = told('started', MARCH_10, [{ productId: 'monthly' }]);

  test('belongs to the subscription that holds it, the rest to the one with a plan', () => {
    const other = told('started', '2026-03-01T00:00:00Z', [digest], { billingAnchorAt: MARCH_10 }, second);
    const used = [
      named('a', '2026-03-11T00:00:00Z'),
      named('b', '2026-03-11T00:00:00Z', { packageId: 'digest' }),
      named('c', '2026-03-11T00:00:00Z', { packageId: 'report' }),
    ];
    expect(bySubscription([main, other], used)).toEqual(['sub_1: a, c', 'sub_2: b']);
  });

  test('that two hold is counted once, by the one with a plan', () => {
    const both = told('started', MARCH_10, [{ productId: 'monthly' }, digest]);
    const other = told('started', '2026-03-01T00:00:00Z', [digest], { billingAnchorAt: MARCH_10 }, second);
    const used = [named('a', '2026-03-11T00:00:00Z', { packageId: 'digest' })];
    expect(bySubscription([both, other], used)).toEqual(['sub_1: a', 'sub_2: ']);
  });

  test('on trial is free: the plan beside it does not pay for it', () => {
    const trial = told('started', MARCH_10, [digest], { trialEndsAt: '2026-03-24T00:00:00Z' }, second);
    const used = [
      named('a', '2026-03-23T00:00:00Z', { packageId: 'digest' }),
      named('b', '2026-03-23T00:00:00Z'),
      named('c', '2026-03-24T00:00:00Z', { packageId: 'digest' }),
    ];
    expect(bySubscription([main, trial], used)).toEqual(['sub_1: b', 'sub_2: c']);
  });

  test('whose subscription pauses is free until it ends; then it is the plan’s', () => {
    const events = [
      main,
      told('started', MARCH_10, [digest], {}, second),
      told('paused', '2026-03-15T00:00:00Z', null, {}, second),
      told('canceled', '2026-03-25T00:00:00Z', null, {}, second),
    ];
    const used = ['11', '16', '26'].map((day) =>
      named(`d${day}`, `2026-03-${day}T00:00:00Z`, { packageId: 'digest' }),
    );
    expect(bySubscription(events, used)).toEqual(['sub_1: d26', 'sub_2: d11']);
  });

  test('in a bundle belongs to the bundle', () => {
    const bundle = told('started', MARCH_10, [{ kind: 'bundle', productId: 'pair' }], {}, second);
    const used = [
      named('a', '2026-03-11T00:00:00Z', { packageId: 'report' }),
      named('b', '2026-03-11T00:00:00Z'),
    ];
    expect(bySubscription([main, bundle], used)).toEqual(['sub_1: b', 'sub_2: a']);
  });

  test('that its subscription does not meter is the plan’s', () => {
    const plain = told('started', MARCH_10, [{ kind: 'package', productId: 'plain_pack' }], {}, second);
    const used = [named('a', '2026-03-11T00:00:00Z', { packageId: 'plain_pack' })];
    expect(bySubscription([main, plain], used)).toEqual(['sub_1: a']);
  });
});

describe('two subscriptions without a package between them', () => {
  test('the oldest counts, until it ends', () => {
    const events = [
      told('started', '2026-02-10T00:00:00Z', [{ productId: 'monthly' }], {}, second),
      told('canceled', '2026-03-20T00:00:00Z', null, {}, second),
      told('started', MARCH_10, [{ productId: 'monthly' }]),
    ];
    const used = [named('a', '2026-03-19T23:59:59Z'), named('b', '2026-03-20T00:00:00Z')];
    expect(bySubscription(events, used)).toEqual(['sub_1: b', 'sub_2: a']);
  });

  test('a year that ends in another month than its rival’s months shares nothing out twice', () => {
    const events = [
      told('started', '2025-06-10T00:00:00Z', [{ productId: 'yearly' }]),
      told('started', '2025-06-20T00:00:00Z', [{ productId: 'monthly' }], {}, second),
    ];
    const used = [named('a', '2025-12-24T00:00:00Z')];
    const JANUARY = between('2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z');
    const JUNE = between('2026-06-01T00:00:00Z', '2026-07-01T00:00:00Z');
    expect(bySubscription(events, used, JANUARY)).toEqual(['sub_2: ']);
    expect(bySubscription(events, used, JUNE)).toEqual(['sub_1: a', 'sub_2: ']);
  });
});

/** A state without its trial. */
const Billed = z.looseObject({}).transform((data) => ({ ...data, trialEndsAt: undefined }));
const HOUR = 3_600_000_000n;
const START = at('2026-01-01T00:00:00Z');
const anyTime = fc
  .integer({ min: 0, max: 24 * 150 })
  .map((hour) => formatInstant(START + BigInt(hour) * HOUR));
const anyItems = fc.subarray<Item>(
  [
    { productId: 'monthly' },
    { productId: 'plain' },
    digest,
    { kind: 'package', productId: 'report' },
    { kind: 'bundle', productId: 'pair' },
  ],
  { minLength: 1 },
);
const anyEvent = fc.record({
  type: fc.constantFrom('started', 'changed', 'paused', 'resumed', 'canceled'),
  time: anyTime,
  items: anyItems,
  trialEndsAt: fc.option(anyTime, { nil: undefined }),
  billingAnchorAt: fc.option(anyTime, { nil: undefined }),
  status: fc.constantFrom('active', 'past_due', 'unpaid', undefined),
  subscriptionId: fc.constantFrom('sub_1', 'sub_2', 'sub_3'),
  orgId: fc.constantFrom('org_1', 'org_2'),
});
const anyHistory = fc.array(anyEvent, { maxLength: 9 }).map((events) =>
  events.map(({ type, time, items, subscriptionId, orgId, ...data }, index) => ({
    ...told(type, time, items, data, { subscriptionId, orgId }),
    eventId: `e${index}`,
  })),
);
const anyUsed = fc
  .array(
    fc.record({
      time: anyTime,
      quantity: fc.integer({ min: 1, max: 400 }),
      packageId: fc.constantFrom('', 'digest', 'report', 'plain_pack'),
      orgId: fc.constantFrom('org_1', 'org_2'),
    }),
    { maxLength: 40 },
  )
  .map((used) =>
    used.map(({ time, quantity, ...more }, index): Used =>
      uses(quantity, time, { ...more, id: `u${index}` }),
    ),
  );
const MONTHS = Array.from({ length: 8 }, (_, index) => {
  const month = addMonths(parseDate('2026-01-01'), index);
  return between(`${formatDate(month)}T00:00:00Z`, `${formatDate(addMonths(month, 1))}T00:00:00Z`);
});

describe('whatever the subscriptions and whatever is used', () => {
  test('over all months no event is counted twice', () => {
    fc.assert(
      fc.property(anyHistory, anyUsed, (events, used) => {
        const counted = MONTHS.flatMap((month) =>
          [...rate(catalog, events, used, month).counted.values()].flat(),
        );
        expect(new Set(counted).size).toBe(counted.length);
      }),
      { numRuns: 150 },
    );
  });

  test('the order in which events and usage arrive changes nothing', () => {
    const shuffled = fc
      .tuple(anyHistory, anyUsed)
      .chain(([events, used]) =>
        fc.tuple(
          fc.constant({ events, used }),
          fc.shuffledSubarray(events, { minLength: events.length }),
          fc.shuffledSubarray(used, { minLength: used.length }),
        ),
      );
    fc.assert(
      fc.property(
        shuffled,
        fc.constantFrom(...MONTHS),
        ([{ events, used }, otherEvents, otherUsed], month) => {
          expect(rate(catalog, otherEvents, otherUsed, month).lines).toEqual(
            rate(catalog, events, used, month).lines,
          );
        },
      ),
      { numRuns: 100 },
    );
  });

  test('a line says nothing it cannot: used, included and over agree, and more usage never costs less', () => {
    fc.assert(
      fc.property(anyHistory, anyUsed, fc.constantFrom(...MONTHS), (events, used, month) => {
        const more = [...used, ...used.map((one) => ({ ...one, id: `${one.id} again` }))];
        const before = new Map(rate(catalog, events, used, month).lines.map((line) => [line.lineId, line]));
        const after = rate(catalog, events, more, month).lines;
        for (const line of after) {
          const over = Number(line.used) - Number(line.included);
          expect(Number(line.overage), summary(line)).toBeCloseTo(Math.max(0, over), 6);
          const earlier = before.get(line.lineId);
          expect(line.amount?.amountMinor ?? 0n).toBeGreaterThanOrEqual(earlier?.amount?.amountMinor ?? 0n);
        }
        expect(after.length).toBeGreaterThanOrEqual(before.size);
      }),
      { numRuns: 100 },
    );
  });

  test('while one subscription is billed throughout, every event of its org is in exactly one line', () => {
    const main = told(
      'started',
      '2025-12-01T00:00:00Z',
      [{ productId: 'monthly' }],
      {},
      { subscriptionId: 'sub_0' },
    );
    const others = anyHistory.map((events) =>
      events.filter(({ orgId, type }) => orgId === 'org_1' && type !== 'subscription.paused'),
    );
    fc.assert(
      fc.property(others, anyUsed, (events, used) => {
        const active = events.map((event) => ({
          ...event,
          data: JSON.stringify({ ...Billed.parse(JSON.parse(event.data)), status: 'active' }),
        }));
        const mine = used.filter(({ orgId }) => orgId === 'org_1');
        const counted = MONTHS.flatMap((month) =>
          [...rate(catalog, [main, ...active], mine, month).counted.values()].flat(),
        );
        expect(counted.sort()).toEqual(mine.map(({ id }) => id).sort());
      }),
      { numRuns: 100 },
    );
  });
});
