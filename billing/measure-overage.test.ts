import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addDecimals,
  decimalOf,
  formatDecimal,
  multiplyDecimals,
  parseDecimal,
  ZERO,
} from '../core/decimal.js';
import { between } from '../test/support/rating.js';
import { leftOf, overageOfTime } from './measure-overage.js';

const APRIL = between('2026-04-01T00:00:00Z', '2026-05-01T00:00:00Z');
const DAY_MICROS = 86_400_000_000n;
const held = (level: string, days: bigint) =>
  multiplyDecimals(parseDecimal(level), decimalOf(days * DAY_MICROS));

test('level × time: 10 GB for 10 of 30 days and 40 for 20, where 25 are allowed', () => {
  const rated = overageOfTime(addDecimals(held('10', 10n), held('40', 20n)), held('25', 30n), APRIL);
  // 100 + 800 of 30.
  expect([rated.used, rated.included ?? ZERO, rated.overage].map(formatDecimal)).toEqual(['30', '25', '5']);
  expect(leftOf(rated)).toEqual(ZERO);
});

test('what is over is divided once, and is not the difference of two that were rounded', () => {
  // Two thirds less one third: 0.666666666667 − 0.333333333333 would be one too many.
  const rated = overageOfTime(held('1', 20n), held('1', 10n), APRIL);
  expect([rated.used, rated.included ?? ZERO, rated.overage].map(formatDecimal)).toEqual([
    '0.666666666667',
    '0.333333333333',
    '0.333333333333',
  ]);
});

test('without limit nothing is over and nothing is left to say', () => {
  const rated = overageOfTime(held('1000', 30n), null, APRIL);
  expect([formatDecimal(rated.used), rated.included, leftOf(rated), formatDecimal(rated.overage)]).toEqual([
    '1000',
    null,
    null,
    '0',
  ]);
});

test('a level that never changes is itself, however its time is cut', () => {
  const cuts = fc.array(fc.bigInt({ min: 0n, max: 30n * DAY_MICROS }), { maxLength: 6 });
  const level = fc.bigInt({ min: 0n, max: 10n ** 24n }).map((unscaled) => ({ unscaled, scale: 12 }));
  fc.assert(
    fc.property(level, cuts, (one, at) => {
      const borders = [0n, ...at.sort((a, b) => (a < b ? -1 : 1)), 30n * DAY_MICROS];
      const sum = borders
        .slice(1)
        .map((end, index) => multiplyDecimals(one, decimalOf(end - (borders[index] ?? 0n))))
        .reduce(addDecimals, ZERO);
      expect(formatDecimal(overageOfTime(sum, null, APRIL).used)).toBe(formatDecimal(one));
    }),
  );
});
