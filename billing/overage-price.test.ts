import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OveragePrice } from '../core/catalog/usage.js';
import { parseDecimal } from '../core/decimal.js';
import { comparePrices, priceIn, rateOverage, type Price } from './overage-price.js';

function price(terms: object, currency = 'USD'): Price {
  const found = priceIn(OveragePrice.parse({ currency, ...terms }), currency);
  if (!found.ok) throw new Error(found.reason);
  return found;
}
const cost = (terms: object, quantity: string, currency = 'USD'): bigint =>
  rateOverage(price(terms, currency), parseDecimal(quantity)).amountMinor;

describe('a price per unit', () => {
  test.each([
    ['0.0035', '1000', 350n],
    // Half a cent is a cent, a little less is none.
    ['0.02', '0.25', 1n],
    ['0.02', '0.2499', 0n],
  ])('%s a unit: %s units', (amount, quantity, cents) => {
    expect(cost({ model: 'per_unit', amount }, quantity)).toBe(cents);
  });
});

describe('a price per block holds for parts of it', () => {
  // Frontier: $0.10 per 1,000 operations, $2 per 100 GB.
  test.each([
    ['0.10', '1000', '1500', 15n],
    ['0.10', '1000', '49', 0n],
    ['0.10', '1000', '50', 1n],
    ['2.00', '100', '150.5', 301n],
  ])('%s per %s: %s', (amount, block, quantity, cents) => {
    expect(cost({ model: 'per_block', amount, block }, quantity)).toBe(cents);
  });
});

describe('packages are sold whole: one begun is one sold', () => {
  test.each([
    ['0', 0n],
    ['0.000001', 200n],
    ['100', 200n],
    ['100.1', 400n],
    ['1000', 2_000n],
  ])('$2 for 100: %s', (quantity, cents) => {
    expect(cost({ model: 'package', amount: '2.00', block: '100' }, quantity)).toBe(cents);
  });
  test('of parts of a unit', () => {
    // 1.2 is three times 0.5, the third one begun.
    expect(cost({ model: 'package', amount: '1.00', block: '0.5' }, '1.2')).toBe(300n);
  });
});

describe('graduated: each tier for what lies in it', () => {
  // Published: $5,000 at 25% up to 500, 30% up to 3,000, 40% above: 125 + 750 + 800 = 1,675.00.
  const share = {
    model: 'graduated',
    tiers: [{ upTo: '500', amount: '0.25' }, { upTo: '3000', amount: '0.30' }, { amount: '0.40' }],
  };
  test.each([
    ['5000', 167_500n],
    ['3000', 87_500n],
    ['500', 12_500n],
    ['0', 0n],
    // 500 at 0.25, and half a unit at 0.30 is 15 cents.
    ['500.5', 12_515n],
  ])('%s', (quantity, cents) => {
    expect(cost(share, quantity)).toBe(cents);
  });

  test('a flat amount is due once for a tier that anything is in', () => {
    const flat = {
      model: 'graduated',
      tiers: [
        { upTo: '10', amount: '1.00', flat: '5.00' },
        { amount: '0.50', flat: '3.00' },
      ],
    };
    // 5 + 10 × 1 = 15.00; the eleventh unit adds 3 + 0.50.
    expect([cost(flat, '0'), cost(flat, '10'), cost(flat, '11')]).toEqual([0n, 1_500n, 1_850n]);
  });
});

describe('volume: all of it at the tier that it reaches', () => {
  const tiers = [
    { upTo: '5', amount: '5.00' },
    { amount: '3.00', flat: '1.00' },
  ];
  test.each([
    ['0', 0n],
    ['5', 2_500n],
    // 1 + 6 × 3.
    ['6', 1_900n],
    ['7', 2_200n],
  ])('%s', (quantity, cents) => {
    expect(cost({ model: 'volume', tiers }, quantity)).toBe(cents);
  });
});

describe('currencies', () => {
  test('one that the catalog has a price in, at its own price and in its own minor unit', () => {
    const terms = {
      model: 'per_unit',
      amount: '0.10',
      otherCurrencies: [{ amount: '11', currency: 'JPY', assumed: true }],
    };
    const yen = priceIn(OveragePrice.parse({ ...terms, currency: 'USD' }), 'JPY');
    expect(yen).toMatchObject({ ok: true, currency: 'JPY', isAssumed: true });
    expect(yen.ok && rateOverage(yen, parseDecimal('1.5')).amountMinor).toBe(17n);
  });

  test.each([
    { model: 'per_unit', amount: '1' },
    { model: 'graduated', tiers: [{ amount: '1' }] },
  ])('one that it has none in is said, for $model', (terms) => {
    expect(priceIn(OveragePrice.parse({ currency: 'USD', ...terms }), 'EUR')).toEqual({
      ok: false,
      reason: 'the catalog has no overage price in EUR',
    });
  });
});

test('the cheaper one is the one whose first unit costs less', () => {
  const unit = price({ model: 'per_unit', amount: '0.02' });
  const block = price({ model: 'per_block', amount: '1.99', block: '100' });
  const pack = price({ model: 'package', amount: '2.01', block: '100' });
  const tiered = price({ model: 'graduated', tiers: [{ upTo: '10', amount: '0.03' }, { amount: '0.001' }] });
  const order = [tiered, pack, unit, block].sort(comparePrices);
  expect(order).toEqual([block, unit, pack, tiered]);
});

describe('for any quantity', () => {
  const anyQuantity = fc
    .record({ whole: fc.bigInt(0n, 100_000n), part: fc.integer({ min: 0, max: 999 }) })
    .map(({ whole, part }) => `${whole}.${String(part).padStart(3, '0')}`);

  test('one tier is a price per unit, however it is counted', () => {
    fc.assert(
      fc.property(anyQuantity, (quantity) => {
        const expected = cost({ model: 'per_unit', amount: '0.0123' }, quantity);
        for (const model of ['graduated', 'volume']) {
          expect(cost({ model, tiers: [{ amount: '0.0123' }] }, quantity)).toBe(expected);
        }
      }),
    );
  });

  test('tiers of one price are that price, wherever they are cut', () => {
    fc.assert(
      fc.property(anyQuantity, fc.integer({ min: 1, max: 50_000 }), (quantity, border) => {
        const tiers = [{ upTo: String(border), amount: '0.0123' }, { amount: '0.0123' }];
        expect(cost({ model: 'graduated', tiers }, quantity)).toBe(
          cost({ model: 'per_unit', amount: '0.0123' }, quantity),
        );
      }),
    );
  });

  test('whole packages cost no less than parts of them, and less than one more', () => {
    fc.assert(
      fc.property(anyQuantity, (quantity) => {
        const parts = cost({ model: 'per_block', amount: '2.00', block: '100' }, quantity);
        const whole = cost({ model: 'package', amount: '2.00', block: '100' }, quantity);
        expect(whole >= parts && whole < parts + 200n + 1n).toBe(true);
        expect(whole % 200n).toBe(0n);
      }),
    );
  });
});
