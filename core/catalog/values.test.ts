import { expect, test } from 'vitest';
import fc from 'fast-check';
import type { z } from 'zod';
import {
  AnyPercent,
  Day,
  Duration,
  Id,
  InstantText,
  MoneyAmount,
  Percent,
  Price,
  RESERVED_IDS,
  Zone,
  areRising,
} from './values.js';

const firstMessage = (schema: z.ZodType, value: unknown) => schema.safeParse(value).error?.issues[0]?.message;

test('a price is read in the minor unit of its currency, exactly', () => {
  const read = (amount: string, currency: string) => MoneyAmount.parse({ amount, currency }).amountMinor;
  expect(read('49.00', 'USD')).toBe(4_900n);
  expect(read('49', 'USD')).toBe(4_900n);
  expect(read('0.1', 'USD')).toBe(10n);
  expect(read('1000', 'JPY')).toBe(1_000n);
  expect(read('1.234', 'KWD')).toBe(1_234n);
  // 2^53 + 1 cents: a float would answer …992.
  expect(read('90071992547409.93', 'USD')).toBe(9_007_199_254_740_993n);
});

test('any amount of cents comes back as it was written', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 17n }), (cents) => {
      const amount = `${(cents / 100n).toString()}.${(cents % 100n).toString().padStart(2, '0')}`;
      return MoneyAmount.parse({ amount, currency: 'USD' }).amountMinor === cents;
    }),
  );
});

test('a float, a sign, an exponent or a separator is no amount', () => {
  expect(firstMessage(MoneyAmount, { amount: 49.1, currency: 'USD' })).toContain('in quotes');
  for (const amount of ['-1', '+1', '1e3', '1,000', '01', '.5', '5.', '', ' 1', '1_000', 'NaN', '٣']) {
    expect(MoneyAmount.safeParse({ amount, currency: 'USD' }).success, amount).toBe(false);
  }
});

test('a tenth of a cent is a problem, not a rounding', () => {
  expect(firstMessage(MoneyAmount, { amount: '0.005', currency: 'USD' })).toContain(
    'more digits than USD has',
  );
  expect(firstMessage(MoneyAmount, { amount: '0.5', currency: 'JPY' })).toContain('more digits than JPY has');
  expect(firstMessage(MoneyAmount, { amount: '1', currency: 'USX' })).toContain('not a currency');
});

test('percentages are parts per million', () => {
  expect(Percent.parse('10')).toBe(100_000);
  expect(Percent.parse('12.5')).toBe(125_000);
  expect(Percent.parse('0.0001')).toBe(1);
  expect(Percent.parse('100')).toBe(1_000_000);
  expect(AnyPercent.parse('120')).toBe(1_200_000);
  expect(firstMessage(Percent, '100.01')).toBe('expected at most 100 percent');
  expect(firstMessage(Percent, '10%')).toContain('no % sign');
  expect(Percent.safeParse(10).success).toBe(false);
});

test('durations add up their parts', () => {
  expect(Duration.parse({ minutes: 15 }).seconds).toBe(900);
  expect(Duration.parse({ days: 1, hours: 1, minutes: 1, seconds: 1 }).seconds).toBe(90_061);
  expect(firstMessage(Duration, {})).toContain('give seconds');
});

test('an id is a word that reports do not use for something else', () => {
  expect(Id.parse('client_reporting-2')).toBe('client_reporting-2');
  for (const id of ['', '2x', 'Growth', 'a b', 'a.b', '__proto__', ...RESERVED_IDS]) {
    expect(Id.safeParse(id).success, id).toBe(false);
  }
});

test('days exist, instants are UTC, zones are IANA', () => {
  expect(Day.parse('2024-02-29')).toBe('2024-02-29');
  expect(Day.safeParse('2025-02-29').success).toBe(false);
  expect(InstantText.parse('2026-10-01')).toBe('2026-10-01T00:00:00Z');
  expect(InstantText.parse('2026-10-01T02:00:00+02:00')).toBe('2026-10-01T00:00:00Z');
  expect(firstMessage(InstantText, 'tomorrow')).toContain('2026-10-01T00:00:00Z');
  expect(Zone.parse('Europe/Berlin')).toBe('Europe/Berlin');
  expect(firstMessage(Zone, 'Europe/Atlantis')).toContain('Europe/Berlin');
});

test('a price keeps its other currencies apart', () => {
  const price = Price.parse({
    amount: '299.00',
    currency: 'USD',
    interval: 'month',
    orMore: true,
    otherCurrencies: [{ amount: '279', currency: 'EUR', assumed: true }],
  });
  expect(price).toEqual({
    amountMinor: 29_900n,
    currency: 'USD',
    interval: 'month',
    orMore: true,
    assumed: false,
    otherCurrencies: [{ amountMinor: 27_900n, currency: 'EUR', assumed: true }],
  });
});

test('tiers rise by their number, not their text, and the last alone is open', () => {
  expect(areRising([{ upTo: '500' }, { upTo: '3000' }, {}])).toBe(true);
  expect(areRising([{}])).toBe(true);
  // As text, "3000" stands before "500".
  expect(areRising([{ upTo: '3000' }, { upTo: '500' }, {}])).toBe(false);
  expect(areRising([{ upTo: '500' }, { upTo: '500.0' }, {}])).toBe(false);
  expect(areRising([{ upTo: '0' }, {}])).toBe(false);
  expect(areRising([{ upTo: '500' }])).toBe(false);
  expect(areRising([{}, { upTo: '500' }])).toBe(false);
});
