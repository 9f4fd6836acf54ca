import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CURRENCY_CODES } from './currencies.js';
import { compareDecimals, multiplyDecimals, parseDecimal, subtractDecimals } from './decimal.js';
import {
  addMoney,
  allocate,
  currencyCode,
  currencyExponent,
  formatMajor,
  formatMoney,
  money,
  multiplyPpm,
  multiplyRate,
  negateMoney,
  parseMajor,
  subtractMoney,
  sumMoney,
  type Money,
} from './money.js';

const usd = (amountMinor: bigint): Money => money(amountMinor, 'USD');
const anyAmount = fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n });
const anyCurrency = fc.constantFrom(...CURRENCY_CODES);
const anyMoney = fc.tuple(anyAmount, anyCurrency).map(([amount, currency]) => money(amount, currency));
const anyWeights = fc
  .array(fc.bigInt({ min: 0n, max: 10n ** 9n }), { minLength: 1, maxLength: 20 })
  .filter((weights) => weights.some((weight) => weight > 0n));

describe('allocate', () => {
  test('the cent that cannot be split goes to the largest remainder, then to the first', () => {
    // 100 / 3 = 33 remainder 1 each: one cent is left, all remainders tie, the first takes it.
    expect(allocate(usd(100n), [1n, 1n, 1n])).toEqual([usd(34n), usd(33n), usd(33n)]);
    // 10 by 5:3:1 of 9 = 5.56, 3.33, 1.11: 9 given, the cent goes to .56.
    expect(allocate(usd(10n), [5n, 3n, 1n])).toEqual([usd(6n), usd(3n), usd(1n)]);
  });

  test('a refund is split as the payment was, with the sign turned', () => {
    expect(allocate(usd(-100n), [1n, 1n, 1n])).toEqual([usd(-34n), usd(-33n), usd(-33n)]);
  });

  test('a weight of 0 gets nothing', () => {
    expect(allocate(usd(7n), [0n, 2n, 0n])).toEqual([usd(0n), usd(7n), usd(0n)]);
  });

  test('shares sum to the total for any total and any weights', () => {
    fc.assert(
      fc.property(anyMoney, anyWeights, (total, weights) => {
        expect(sumMoney(allocate(total, weights), total.currency)).toEqual(total);
      }),
    );
  });

  test('no share is a whole minor unit or more away from its exact part', () => {
    fc.assert(
      fc.property(anyMoney, anyWeights, (total, weights) => {
        const weightSum = weights.reduce((sum, weight) => sum + weight, 0n);
        allocate(total, weights).forEach((share, index) => {
          const off = share.amountMinor * weightSum - total.amountMinor * (weights[index] ?? 0n);
          expect(off < weightSum && off > -weightSum).toBe(true);
        });
      }),
    );
  });

  test('splitting the negative is the negative of the split', () => {
    fc.assert(
      fc.property(anyMoney, anyWeights, (total, weights) => {
        expect(allocate(negateMoney(total), weights)).toEqual(allocate(total, weights).map(negateMoney));
      }),
    );
  });

  test('weights that are no split are a broken invariant', () => {
    expect(() => allocate(usd(1n), [])).toThrow('more than 0');
    expect(() => allocate(usd(1n), [0n])).toThrow('more than 0');
    expect(() => allocate(usd(1n), [2n, -1n])).toThrow('negative');
  });
});

describe('unit rates', () => {
  const cost = (rate: string, quantity: string, currency: string): string =>
    formatMajor(multiplyRate({ perUnit: parseDecimal(rate), currency }, parseDecimal(quantity)));

  test('a rate is multiplied exactly and rounded once, in the currency it is in', () => {
    // 0.0035 × 1,001 = 3.5035 → 3.50; 0.0035 × 1,010 = 3.535 → 3.54 (half away from zero)
    expect(cost('0.0035', '1001', 'USD')).toBe('3.50');
    expect(cost('0.0035', '1010', 'USD')).toBe('3.54');
    // 2.5 yen have no half: 3; 0.0125 dinars have three digits: 0.013
    expect(cost('0.5', '5', 'JPY')).toBe('3');
    expect(cost('0.0125', '1', 'KWD')).toBe('0.013');
    expect(cost('-0.005', '1', 'USD')).toBe('-0.01');
  });

  test('rounding once per line is not the sum of rounded units', () => {
    // 1,000 units at 0.0004 are 0.40; each alone would round to 0.00.
    expect(cost('0.0004', '1000', 'USD')).toBe('0.40');
  });

  test('the result is within half a minor unit of the exact product', () => {
    const anyRate = fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 12n }), fc.integer({ min: 0, max: 12 }));
    fc.assert(
      fc.property(anyRate, fc.bigInt({ min: 0n, max: 10n ** 12n }), ([unscaled, scale], quantity) => {
        const perUnit = { unscaled, scale };
        const units = { unscaled: quantity, scale: 0 };
        const exactCents = multiplyDecimals(multiplyDecimals(perUnit, units), parseDecimal('100'));
        const rounded = multiplyRate({ perUnit, currency: 'USD' }, units).amountMinor;
        const off = subtractDecimals({ unscaled: rounded, scale: 0 }, exactCents);
        expect(compareDecimals(off, parseDecimal('0.5'))).toBeLessThanOrEqual(0);
        expect(compareDecimals(off, parseDecimal('-0.5'))).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test('a share in parts per million is rounded once: 20% of 7 cents is 1', () => {
    expect(multiplyPpm(usd(7n), 200_000n)).toEqual(usd(1n));
    expect(multiplyPpm(usd(3n), 200_000n)).toEqual(usd(1n));
    expect(multiplyPpm(usd(-25n), 100_000n)).toEqual(usd(-3n));
  });
});

describe('currencies', () => {
  test.each([
    ['USD', 2],
    ['JPY', 0],
    ['KRW', 0],
    ['ISK', 0],
    ['KWD', 3],
    ['BHD', 3],
    ['TND', 3],
    ['UYW', 4],
    ['HUF', 2],
  ])('%s has %i digits after the point', (currency, digits) => {
    expect(currencyExponent(currency)).toBe(digits);
  });

  test('a code that is none is refused, with the nearest that is one', () => {
    expect(() => currencyCode('USB')).toThrow('did you mean "USD"?');
    expect(() => currencyCode('usd')).toThrow('did you mean "USD"?');
    expect(() => currencyCode('XXX')).toThrow('not an ISO 4217 currency code');
    expect(() => currencyCode('constructor')).toThrow('not an ISO 4217 currency code');
  });

  test('every code is three capitals and is listed once', () => {
    expect(CURRENCY_CODES.every((code) => /^[A-Z]{3}$/.test(code))).toBe(true);
    expect(new Set(CURRENCY_CODES).size).toBe(CURRENCY_CODES.length);
  });

  test('amounts of two currencies do not add up', () => {
    expect(() => addMoney(usd(1n), money(1n, 'EUR'))).toThrow("USD and EUR can't be added");
  });
});

describe('reading and writing amounts', () => {
  test.each([
    ['79', 'USD', 7_900n],
    ['19.90', 'USD', 1_990n],
    ['-0.05', 'EUR', -5n],
    ['500', 'JPY', 500n],
    ['1.234', 'KWD', 1_234n],
    ['1.50', 'JPY', null],
    ['19.999', 'USD', null],
    ['19,90', 'USD', null],
  ])('%s %s is %s minor units', (text, currency, expected) => {
    if (expected === null) expect(() => parseMajor(text, currency)).toThrow();
    else expect(parseMajor(text, currency)).toEqual({ amountMinor: expected, currency });
  });

  test.each([
    [2_030_500n, 'USD', '$20,305.00'],
    [-150n, 'EUR', '-€1.50'],
    [1_234_567n, 'JPY', '¥1,234,567'],
    [1_200n, 'CHF', 'CHF 12.00'],
    [5n, 'KWD', 'KWD 0.005'],
    [0n, 'USD', '$0.00'],
    [100_000_000n, 'USD', '$1,000,000.00'],
  ])('%s minor units of %s read %s', (amount, currency, expected) => {
    expect(formatMoney(money(amount, currency))).toBe(expected);
  });

  test('an amount written in major units reads back as itself', () => {
    fc.assert(
      fc.property(anyMoney, (amount) => {
        expect(parseMajor(formatMajor(amount), amount.currency)).toEqual(amount);
      }),
    );
  });

  test('subtraction undoes addition', () => {
    fc.assert(
      fc.property(anyAmount, anyAmount, (a, b) => {
        expect(subtractMoney(addMoney(usd(a), usd(b)), usd(b))).toEqual(usd(a));
      }),
    );
  });
});
