import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addDecimals,
  compareDecimals,
  divideFloored,
  divideRounded,
  formatDecimal,
  isQuantity,
  multiplyDecimals,
  parseDecimal,
  partsPerMillion,
  roundDecimal,
  roundToInteger,
  subtractDecimals,
  tryParseDecimal,
  type Decimal,
} from './decimal.js';

const anyDecimal: fc.Arbitrary<Decimal> = fc.record({
  unscaled: fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
  scale: fc.integer({ min: 0, max: 20 }),
});
const anyInteger = fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n });
const anyDivisor = anyInteger.filter((value) => value !== 0n);

describe('reading and writing', () => {
  test.each([
    ['12', '12'],
    ['-0.50', '-0.5'],
    ['007', '7'],
    ['1e3', '1000'],
    ['1.5E-3', '0.0015'],
    ['-0', '0'],
    ['0.000000000001', '0.000000000001'],
    ['123456789012345678901234567890.5', '123456789012345678901234567890.5'],
  ])('%s is read exactly and written as %s', (text, expected) => {
    expect(formatDecimal(parseDecimal(text))).toBe(expected);
  });

  test.each(['', '.5', '5.', '1,5', '+1', '1e', 'NaN', 'Infinity', '0x10', ' 1', '1 ', '1_000', '١', '--1'])(
    '%j is not a decimal number',
    (text) => {
      expect(tryParseDecimal(text)).toBeNull();
      expect(() => parseDecimal(text)).toThrow('not a decimal number');
    },
  );

  test('an exponent that would write a gigabyte of zeros is refused', () => {
    expect(tryParseDecimal('1e999999')).toBeNull();
    expect(tryParseDecimal('1e-401')).toBeNull();
  });

  test('what is written reads back as the same number, whatever it was', () => {
    fc.assert(
      fc.property(anyDecimal, (value) => compareDecimals(parseDecimal(formatDecimal(value)), value) === 0),
    );
  });
});

describe('arithmetic', () => {
  test('0.1 + 0.2 is 0.3', () => {
    expect(formatDecimal(addDecimals(parseDecimal('0.1'), parseDecimal('0.2')))).toBe('0.3');
  });

  test('adding and taking away again changes nothing', () => {
    fc.assert(
      fc.property(
        anyDecimal,
        anyDecimal,
        (a, b) => compareDecimals(subtractDecimals(addDecimals(a, b), b), a) === 0,
      ),
    );
  });

  test('multiplication distributes over addition, which a float does not promise', () => {
    fc.assert(
      fc.property(anyDecimal, anyDecimal, anyDecimal, (a, b, c) => {
        const together = multiplyDecimals(a, addDecimals(b, c));
        const apart = addDecimals(multiplyDecimals(a, b), multiplyDecimals(a, c));
        return compareDecimals(together, apart) === 0;
      }),
    );
  });

  test('numbers compare by value and not by how many digits were written', () => {
    expect(compareDecimals(parseDecimal('1.50'), parseDecimal('1.5'))).toBe(0);
    expect(compareDecimals(parseDecimal('-2'), parseDecimal('-1.999'))).toBe(-1);
    expect(compareDecimals(parseDecimal('0.3'), parseDecimal('0.29'))).toBe(1);
  });
});

describe('the one rounding', () => {
  test.each([
    ['0.5', 1n],
    ['-0.5', -1n],
    ['1.5', 2n],
    ['2.5', 3n],
    ['-2.5', -3n],
    ['2.4999999999999999999999', 2n],
    ['-0.4', 0n],
  ])('%s rounds to %s: half away from zero', (text, expected) => {
    expect(roundToInteger(parseDecimal(text))).toBe(expected);
  });

  test('rounding to a scale keeps that many digits', () => {
    expect(formatDecimal(roundDecimal(parseDecimal('1.005'), 2))).toBe('1.01');
    expect(formatDecimal(roundDecimal(parseDecimal('1.5'), 4))).toBe('1.5');
  });

  test('the result is never more than half away, and a half always goes away from zero', () => {
    fc.assert(
      fc.property(anyInteger, anyDivisor, (numerator, denominator) => {
        const rest = numerator - divideRounded(numerator, denominator) * denominator;
        const twice = rest < 0n ? -2n * rest : 2n * rest;
        const size = denominator < 0n ? -denominator : denominator;
        expect(twice <= size).toBe(true);
        // On a tie the quotient is the larger in magnitude, so what remains points back towards zero.
        if (twice === size) expect(rest < 0n === numerator > 0n).toBe(true);
      }),
    );
  });

  test('a reversal takes back exactly what was given', () => {
    fc.assert(fc.property(anyInteger, anyDivisor, (n, d) => divideRounded(-n, d) === -divideRounded(n, d)));
  });

  test('floored division goes down on both sides of zero', () => {
    expect([divideFloored(7n, 2n), divideFloored(-7n, 2n), divideFloored(-8n, 2n)]).toEqual([3n, -4n, -4n]);
  });

  test('a ratio is in parts per million, and nothing divided by nothing is nothing', () => {
    // 1 / 3 = 333,333.33 ppm; 2 / 3 = 666,666.67 ppm
    expect(partsPerMillion(1n, 3n)).toBe(333_333n);
    expect(partsPerMillion(2n, 3n)).toBe(666_667n);
    expect(partsPerMillion(5n, 0n)).toBeNull();
  });
});

test('a quantity has at most 18 digits before the point and 12 after it', () => {
  expect(isQuantity(parseDecimal('999999999999999999.999999999999'))).toBe(true);
  expect(isQuantity(parseDecimal('1000000000000000000'))).toBe(false);
  expect(isQuantity(parseDecimal('0.0000000000001'))).toBe(false);
  // Trailing zeros are no digits.
  expect(isQuantity(parseDecimal('1.50000000000000000000'))).toBe(true);
});
