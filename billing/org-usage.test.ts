import { expect, test } from 'vitest';
import { at, between, catalogOf, plan, rate, told, uses, type Used } from '../test/support/rating.js';
import { outlookOf } from './org-usage.js';
import { rateUsage } from './overage-plan.js';
import type { SubscriptionEvent } from './subscription-timeline.js';
import type { Catalog } from '../core/catalog.js';

const PRICED = { ops: { model: 'per_unit', amount: '0.01', currency: 'USD' } };
const APRIL = between('2026-04-01T00:00:00Z', '2026-05-01T00:00:00Z');
const STARTER = [{ productId: 'starter' }];
const started = told('started', '2026-04-01T00:00:00Z', STARTER);

/** How April looks at an instant, on the way. */
function outlook(
  catalog: Catalog,
  events: readonly SubscriptionEvent[],
  used: readonly Used[],
  asOf: string,
) {
  const before = used.filter((one) => one.at < at(asOf));
  const { questions, usage } = rate(catalog, events, before, APRIL);
  const [question] = questions;
  if (question === undefined) throw new Error('there is a period');
  const [line] = rateUsage([question], usage);
  return { included: line?.included, overage: line?.overage, ...outlookOf(question, usage, at(asOf)) };
}

test('of a period: what is left, and straight on to its end', () => {
  const catalog = catalogOf({
    plans: { starter: plan({ allowances: { ops: { quantity: '1000' } }, overage: PRICED }) },
  });
  const used = [uses(300, '2026-04-03T00:00:00Z'), uses('800.5', '2026-04-18T00:00:00Z')];
  // 9 of 30 days: 300 become 1,000. 20 of 30: 1,100.5 become 1,650.75.
  expect(outlook(catalog, [started], used, '2026-04-10T00:00:00Z')).toEqual({
    included: '1000',
    overage: '0',
    remaining: '700',
    projected: '1000',
  });
  expect(outlook(catalog, [started], used, '2026-04-21T00:00:00Z')).toEqual({
    included: '1000',
    overage: '100.5',
    remaining: '0',
    projected: '1650.75',
  });
});

test('a projection starts where billed usage does', () => {
  const catalog = catalogOf({
    plans: {
      starter: plan({ firstPeriod: 'full', allowances: { ops: { quantity: '1000' } }, overage: PRICED }),
    },
  });
  const trial = told('started', '2026-04-01T00:00:00Z', STARTER, { trialEndsAt: '2026-04-11T00:00:00Z' });
  // 5 of the 20 days after the trial: 100 become 400.
  const used = [uses(900, '2026-04-05T00:00:00Z'), uses(100, '2026-04-12T00:00:00Z')];
  expect(outlook(catalog, [trial], used, '2026-04-16T00:00:00Z')).toMatchObject({
    remaining: '900',
    projected: '400',
  });
});

test('of a daily allowance: what today has left, and the period beside it', () => {
  const daily = plan({ allowances: { ops: { quantity: '100', per: 'day' } }, overage: PRICED });
  const extra = {
    name: 'Extra',
    kind: 'support',
    price: { amount: '5.00', currency: 'USD', interval: 'month' },
    allowances: { ops: { quantity: '50' } },
  };
  const catalog = catalogOf({ plans: { starter: daily }, addons: { extra } });
  const used = [uses(120, '2026-04-03T10:00:00Z'), uses(30, '2026-04-04T10:00:00Z')];
  expect(outlook(catalog, [started], used, '2026-04-04T12:00:00Z')).toMatchObject({
    included: '3000',
    overage: '20',
    remaining: '70',
  });
  // The 20 that the 3rd did not cover are taken from the add-on's 50: 30 and today's 70 are left.
  const both = told('started', '2026-04-01T00:00:00Z', [
    { productId: 'starter' },
    { kind: 'addon', productId: 'extra' },
  ]);
  expect(outlook(catalog, [both], used, '2026-04-04T12:00:00Z')).toMatchObject({
    included: '3050',
    overage: '0',
    remaining: '100',
  });
});

test('of a level: room under what is allowed now; it leads nowhere by itself', () => {
  const storage = {
    name: 'Storage',
    unit: 'GB',
    stream: 'executions',
    eventType: 'usage.recorded',
    key: 'storage',
    aggregation: 'max',
  };
  const catalog = catalogOf({
    meters: { storage },
    plans: { starter: plan({ allowances: { storage: { quantity: '100' } } }) },
  });
  const used = [uses('80.5', '2026-04-03T00:00:00Z', { meterId: 'storage' })];
  expect(outlook(catalog, [started], used, '2026-04-10T00:00:00Z')).toEqual({
    included: '100',
    overage: '0',
    remaining: '19.5',
    projected: '80.5',
  });
});

test('without limit nothing runs out', () => {
  const catalog = catalogOf({ plans: { starter: plan({ allowances: { ops: { unlimited: true } } }) } });
  expect(outlook(catalog, [started], [uses(10, '2026-04-02T00:00:00Z')], '2026-04-11T00:00:00Z')).toEqual({
    included: null,
    overage: '0',
    remaining: null,
    projected: '30',
  });
});
