import { describe, expect, test } from 'vitest';
import { catalogFile } from '../test/support/company.js';
import { at, between, catalogOf, plan, rate, summary, told, uses } from '../test/support/rating.js';

const APRIL = between('2026-04-01T00:00:00Z', '2026-05-01T00:00:00Z');
const MARCH = between('2026-03-01T00:00:00Z', '2026-04-01T00:00:00Z');
/** $2.00 per 100. */
const PRICED = { ops: { model: 'per_block', amount: '2.00', currency: 'USD', block: '100' } };
const starter = plan({ allowances: { ops: { quantity: '1000' } }, overage: PRICED });
const pro = plan({ allowances: { ops: { quantity: '4000' } }, overage: PRICED });
const catalog = catalogOf({ plans: { starter, pro } });
const STARTER = [{ productId: 'starter' }];

function lines(...input: Parameters<typeof rate>): string[] {
  return rate(...input).lines.map(summary);
}

describe('the Frontier plan, as published', () => {
  const period = between('2026-04-01T07:00:00Z', '2026-05-01T07:00:00Z');
  const growth = (quantity: number, data: object = {}) =>
    told('started', '2026-03-10T08:00:00Z', [{ productId: 'growth', quantity }], data);

  test('$0.10 per 1,000 operations over: two seats include 20,000; 1,500 more cost 15 cents', async () => {
    const { catalog: frontier } = await catalogFile('frontier');
    const used = [
      uses('20000', '2026-03-11T00:00:00Z', { meterId: 'ai_operations' }),
      uses('1500', '2026-04-01T00:00:00Z', { meterId: 'ai_operations' }),
    ];
    expect(lines(frontier, [growth(2)], used, period)).toEqual(['21500 of 20000, 1500 over: 15 USD, due']);
    // In euros at the catalog's own euro price, 0.09 per 1,000: 13.5 cents are 14.
    expect(lines(frontier, [growth(2, { currency: 'EUR' })], used, period)).toEqual([
      '21500 of 20000, 1500 over: 14 EUR, due',
    ]);
  });

  test('$2 per 100 GB: the most that was stored counts, not the sum', async () => {
    const { catalog: frontier } = await catalogFile('frontier');
    const storage = (quantity: string, time: string) => uses(quantity, time, { meterId: 'storage_gb' });
    const used = [
      storage('90', '2026-03-16T00:00:00Z'),
      storage('250.5', '2026-03-23T00:00:00Z'),
      storage('180', '2026-03-30T00:00:00Z'),
    ];
    // One seat includes 100: 150.5 over at 2 cents each are $3.01.
    expect(lines(frontier, [growth(1)], used, period)).toEqual(['250.5 of 100, 150.5 over: 301 USD, due']);
  });

  test('the free tier stops hard: it is over, and nothing is billed', async () => {
    const { catalog: frontier } = await catalogFile('frontier');
    const free = told('started', '2026-03-10T08:00:00Z', [{ productId: 'starter', quantity: 3 }]);
    const used = [uses('1200', '2026-03-12T00:00:00Z', { meterId: 'ai_operations' })];
    // Not per seat: three users share 1,000.
    expect(lines(frontier, [free], used, period)).toEqual(['1200 of 1000, 200 over: nothing, stopped']);
  });
});

test('an allowance that the catalog assumes marks the line; one that was not billed, and a price, do not', () => {
  const assumed = { ops: { quantity: '1000', assumed: true } };
  const guessed = catalogOf({
    plans: { starter: plan({ allowances: assumed, overage: PRICED }), pro },
  });
  const start = '2026-03-10T00:00:00Z';
  const marks = (...input: Parameters<typeof rate>): boolean[] =>
    rate(...input).lines.map(({ isIncludedAssumed }) => isIncludedAssumed);
  const used = [uses(9000, '2026-03-11T00:00:00Z')];
  expect(marks(guessed, [told('started', start, STARTER)], used, APRIL)).toEqual([true]);
  expect(marks(guessed, [told('started', start, [{ productId: 'pro' }])], used, APRIL)).toEqual([false]);
  // In the trial it is held and not billed; what is billed later is the other plan.
  const tried = told('started', start, STARTER, { status: 'trialing', trialEndsAt: '2026-03-12T00:00:00Z' });
  const bought = told('changed', '2026-03-12T00:00:00Z', [{ productId: 'pro' }]);
  expect(marks(guessed, [tried, bought], [uses(9000, '2026-03-13T00:00:00Z')], APRIL)).toEqual([false]);
  const priced = { ops: { ...PRICED.ops, assumed: true } };
  const soldAt = catalogOf({
    plans: { starter: plan({ allowances: { ops: { quantity: '1000' } }, overage: priced }) },
  });
  expect(marks(soldAt, [told('started', start, STARTER)], used, APRIL)).toEqual([false]);
});

describe('one period', () => {
  const started = told('started', '2026-03-10T00:00:00Z', STARTER);

  test('its first instant belongs to it, its last does not', () => {
    const used = [
      uses(5000, '2026-03-09T23:59:59.999999Z'),
      uses(700, '2026-03-10T00:00:00Z'),
      uses(400, '2026-04-09T23:59:59.999999Z'),
      uses(5000, '2026-04-10T00:00:00Z'),
    ];
    expect(lines(catalog, [started], used, APRIL)).toEqual(['1100 of 1000, 100 over: 200 USD, due']);
  });

  test('what is just included is not over, and makes no line', () => {
    expect(lines(catalog, [started], [uses(1000, '2026-03-11T00:00:00Z')], APRIL)).toEqual([]);
    expect(lines(catalog, [started], [uses('1000.000000000001', '2026-03-11T00:00:00Z')], APRIL)).toEqual([
      '1000.000000000001 of 1000, 0.000000000001 over: 0 USD, due',
    ]);
  });

  test('a line is rounded once, half away from zero', () => {
    // 2 cents each: 0.25 over is half a cent, 0.2499 is less.
    expect(lines(catalog, [started], [uses('1000.25', '2026-03-11T00:00:00Z')], APRIL)).toEqual([
      '1000.25 of 1000, 0.25 over: 1 USD, due',
    ]);
    expect(lines(catalog, [started], [uses('1000.2499', '2026-03-11T00:00:00Z')], APRIL)).toEqual([
      '1000.2499 of 1000, 0.2499 over: 0 USD, due',
    ]);
    // Four times a quarter is one: 2 cents, where four roundings would have made 4.
    const quarters = [1, 2, 3, 4].map((hour) => uses('250.25', `2026-03-11T0${hour}:00:00Z`));
    expect(lines(catalog, [started], quarters, APRIL)).toEqual(['1001 of 1000, 1 over: 2 USD, due']);
  });

  test('a period that is not over is nobody’s to bill', () => {
    const used = [uses(1500, '2026-03-11T00:00:00Z')];
    expect(lines(catalog, [started], used, APRIL, at('2026-04-09T23:59:59Z'))).toEqual([]);
    expect(lines(catalog, [started], used, APRIL, at('2026-04-10T00:00:00Z'))).toHaveLength(1);
  });

  test('a period that ends at midnight on the first belongs to the month before', () => {
    const onTheFirst = told('started', '2026-03-01T00:00:00Z', STARTER);
    const used = [uses(1500, '2026-03-31T23:00:00Z')];
    expect(lines(catalog, [onTheFirst], used, MARCH)).toEqual(['1500 of 1000, 500 over: 1000 USD, due']);
    expect(lines(catalog, [onTheFirst], used, APRIL)).toEqual([]);
  });

  test('a year paid ahead still has its allowance each month', () => {
    const yearly = told('started', '2026-03-10T00:00:00Z', [{ productId: 'starter', interval: 'year' }]);
    expect(lines(catalog, [yearly], [uses(1500, '2026-03-11T00:00:00Z')], APRIL)).toEqual([
      '1500 of 1000, 500 over: 1000 USD, due',
    ]);
  });

  test('a price without an allowance: everything is over', () => {
    const metered = catalogOf({ plans: { starter: plan({ overage: PRICED }) } });
    expect(lines(metered, [started], [uses(150, '2026-03-11T00:00:00Z')], APRIL)).toEqual([
      '150 of 0, 150 over: 300 USD, due',
    ]);
  });

  test('without limit nothing is over', () => {
    const unlimited = catalogOf({ plans: { starter: plan({ allowances: { ops: { unlimited: true } } }) } });
    expect(lines(unlimited, [started], [uses('999999999', '2026-03-11T00:00:00Z')], APRIL)).toEqual([]);
  });

  test('own-key executions do not count where the product says so', () => {
    const ownKey = { allowed: true, uncountedMeters: ['ops'] };
    const own = catalogOf({ plans: { starter: { ...starter, ownKey } } });
    const used = [uses(1100, '2026-03-11T00:00:00Z'), uses(900, '2026-03-12T00:00:00Z', { ownKey: true })];
    expect(lines(own, [started], used, APRIL)).toEqual(['1100 of 1000, 100 over: 200 USD, due']);
    expect(lines(catalog, [started], used, APRIL)).toEqual(['2000 of 1000, 1000 over: 2000 USD, due']);
  });
});

describe('money', () => {
  const started = (currency: string) => told('started', '2026-03-10T00:00:00Z', STARTER, { currency });
  const sells = (currency: string, more: object) =>
    catalogOf({
      currencies: [currency],
      plans: {
        starter: plan({
          price: { amount: '5', currency, interval: 'month' },
          allowances: { ops: { quantity: '1000' } },
          overage: { ops: { currency, ...more } },
        }),
      },
    });

  test('a subscription in a currency without a price is unpriced, never converted', () => {
    const rated = rate(catalog, [started('EUR')], [uses(1100, '2026-03-11T00:00:00Z')], APRIL);
    expect(rated.lines.map(summary)).toEqual(['1100 of 1000, 100 over: nothing, unpriced']);
    expect(rated.lines[0]?.reason).toBe('the catalog has no overage price in EUR');
  });

  test('yen have no minor unit, dinars have three digits', () => {
    const used = [uses('1001.5', '2026-03-11T00:00:00Z')];
    // 1.5 × ¥3 is ¥4.5, rounded to ¥5.
    expect(lines(sells('JPY', { model: 'per_unit', amount: '3' }), [started('JPY')], used, APRIL)).toEqual([
      '1001.5 of 1000, 1.5 over: 5 JPY, due',
    ]);
    // 1.5 × KD 0.0123 is KD 0.01845: 18.45 fils.
    expect(
      lines(sells('KWD', { model: 'per_unit', amount: '0.0123' }), [started('KWD')], used, APRIL),
    ).toEqual(['1001.5 of 1000, 1.5 over: 18 KWD, due']);
  });

  test.each([
    // 100.5 over: two packages; 100 at $1 and half a one at 50 cents; all at 50 cents, which are $50.25.
    [{ model: 'package', amount: '2.00', block: '100' }, '400 USD'],
    [{ model: 'graduated', tiers: [{ upTo: '100', amount: '1.00' }, { amount: '0.50' }] }, '10025 USD'],
    [{ model: 'volume', tiers: [{ upTo: '100', amount: '1.00' }, { amount: '0.50' }] }, '5025 USD'],
  ])('a price of another model: %j', (price, amount) => {
    const used = [uses('1100.5', '2026-03-11T00:00:00Z')];
    expect(lines(sells('USD', price), [started('USD')], used, APRIL)).toEqual([
      `1100.5 of 1000, 100.5 over: ${amount}, due`,
    ]);
  });

  test('a meter whose filter can’t be read is said, not left out', () => {
    const meter = {
      name: 'Regions',
      unit: 'region',
      stream: 'executions',
      eventType: 'execution.completed',
      aggregation: 'unique',
      key: 'region',
    };
    const regions = catalogOf({
      meters: { regions: meter },
      plans: { starter: plan({ allowances: { regions: { quantity: '5' } } }) },
    });
    const rated = rate(regions, [started('USD')], [], APRIL);
    expect(rated.lines).toMatchObject([{ meterId: 'regions', status: 'unrated', amount: null, events: 0 }]);
  });

  test('totals are by currency and hold what is due alone', () => {
    const events = [
      told('started', '2026-03-10T00:00:00Z', STARTER),
      told('started', '2026-03-10T00:00:00Z', STARTER, {}, { orgId: 'org_2' }),
      told('started', '2026-03-10T00:00:00Z', STARTER, { currency: 'EUR' }, { orgId: 'org_3' }),
    ];
    const used = ['org_1', 'org_2', 'org_3'].map((orgId) => uses(1100, '2026-03-11T00:00:00Z', { orgId }));
    const rated = rate(catalog, events, used, APRIL);
    expect(rated.lines.map(({ orgId }) => orgId)).toEqual(['org_1', 'org_2', 'org_3']);
    expect('totals' in rated && rated.totals).toEqual([{ currency: 'USD', amountMinor: 400n }]);
  });
});

test('a product called like something that every object has is unknown, not an error', () => {
  const events = [
    told('started', '2026-03-10T00:00:00Z', [{ productId: 'constructor' }, { productId: '__proto__' }]),
  ];
  expect(rate(catalog, events, [uses(5, '2026-03-11T00:00:00Z')], APRIL).questions).toEqual([]);
});
