import { expect, test } from 'vitest';
import {
  showComparator,
  showFigure,
  showPpm,
  showQuantity,
  showSeconds,
  showValue,
  sparkline,
} from './numbers.js';

test('money is written by its currency: two, no and three decimals', () => {
  expect(showValue(2_030_500n, 'minor', 'USD')).toBe('$20,305.00');
  expect(showValue(-1n, 'minor', 'reporting:EUR')).toBe('-€0.01');
  expect(showValue(1_500n, 'minor', 'JPY')).toBe('¥1,500');
  expect(showValue(1_500n, 'minor', 'KWD')).toContain('1.500');
});

test('micros keep four places, rounded half away from zero, exact beyond what a float holds', () => {
  expect(showValue(1_234_567n, 'micros', 'USD')).toBe('1.2346 USD');
  expect(showValue(-50n, 'micros', 'USD')).toBe('-0.0001 USD');
  expect(showValue(-49n, 'micros', 'USD')).toBe('0.0000 USD');
  // 2^53 + 1 micros: a double would drop the one.
  expect(showValue(9_007_199_254_740_993_000_050n, 'micros', null)).toBe('9,007,199,254,740,993.0001');
});

test('a ratio is a percentage with one digit, rounded half away from zero', () => {
  expect([1_000_000n, 123_450n, 500n, -500n, -499n, 0n].map(showPpm)).toEqual([
    ...['100.0%', '12.3%', '0.1%', '-0.1%', '0.0%', '0.0%'],
  ]);
});

test('seconds are their two largest units', () => {
  expect([0n, 59n, 60n, 700n, 3_600n, 183_600n].map(showSeconds)).toEqual([
    ...['0 s', '59 s', '1 min', '11 min 40 s', '1 h', '2 d 3 h'],
  ]);
});

test('a negative duration is the same length with a sign, never 0 s', () => {
  expect([-1n, -700n, -183_600n].map(showSeconds)).toEqual(['-1 s', '-11 min 40 s', '-2 d 3 h']);
});

test('every comparator of a target has its own sign', () => {
  expect(['gte', 'lte', 'near'].map(showComparator)).toEqual(['≥', '≤', '≈']);
});

test('payback is so many months, what is per one is a number, and a share stays a percentage', () => {
  const ratio = { unit: 'ppm', currency: null };
  const months = (ppm: bigint): string => showFigure('payback_months', ppm, ratio);
  expect([12_000_000n, 12_340_000n, 1_000_000n, -2_500_000n].map(months)).toEqual([
    ...['12 months', '12.3 months', '1 month', '-2.5 months'],
  ]);
  expect(showFigure('attach_rate', 2_255_000n, ratio)).toBe('2.26');
  expect(showFigure('nrr', 1_100_000n, ratio)).toBe('110.0%');
  expect(showFigure('payback_months', null, ratio)).toBe('–');
  expect(showFigure('sales_cycle_days', 1_030n, { unit: 'days', currency: null })).toBe('1,030 days');
  expect(showFigure('sales_cycle_days', 1n, { unit: 'days', currency: null })).toBe('1 day');
  expect([-1_000_000n, -40_000n].map(months)).toEqual(['-1 month', '0 months']);
  expect(showFigure('cost', -10n, { unit: 'micros', currency: 'none' })).toBe('0.0000');
  expect(showFigure('response_time', 200n, { unit: 'milliseconds', currency: null })).toBe('200 ms');
});

test('a quantity is exact, in groups of three, without the zeros at its end', () => {
  const written = ['3375.000000000000', '1234567.500000000000', '0.000000000001', '100', '-1200.50'];
  expect(written.map(showQuantity)).toEqual(['3,375', '1,234,567.5', '0.000000000001', '100', '-1,200.5']);
});

test('what there is no value for is a dash, never a zero', () => {
  expect(showValue(null, 'ppm', null)).toBe('–');
});

test('a sparkline goes from the lowest to the highest, and is level where nothing changes', () => {
  expect(sparkline([0n, 7n, 14n])).toBe('▁▄█');
  expect(sparkline([5n, 5n])).toBe('▄▄');
  expect(sparkline([])).toBe('');
});
