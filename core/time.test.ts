import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addDays,
  addMonths,
  dateInUtc,
  dateOfDays,
  dayOfWeek,
  daysBetween,
  daysInMonth,
  daysSinceEpoch,
  formatDate,
  formatInstant,
  isLeapYear,
  isWithin,
  midnightUtc,
  overlapOf,
  parseDate,
  parseInstant,
  period,
  startOfWeek,
  tryParseDate,
  tryParseDateOrInstant,
  tryParseInstant,
} from './time.js';

const anyDate = fc.integer({ min: -25_567, max: 120_529 }).map(dateOfDays);
const anyInstant = fc.bigInt({
  min: midnightUtc(parseDate('1900-01-02')),
  max: midnightUtc(parseDate('2299-12-31')),
});

describe('instants', () => {
  test.each([
    ['1970-01-01T00:00:00Z', 0n],
    ['1969-12-31T23:59:59.999999Z', -1n],
    // 54 × 365 + 13 leap days (1972 … 2020) + 31 + 28 = 19,782 days
    ['2024-02-29T00:00:00Z', 19_782n * 86_400_000_000n],
    ['1970-01-01T01:30:00+01:30', 0n],
    ['1969-12-31T19:00:00-05:00', 0n],
    ['1970-01-01T00:00:00.5Z', 500_000n],
    ['1970-01-01T00:00:00-00:00', 0n],
  ])('%s is %s microseconds', (text, micros) => {
    expect(parseInstant(text)).toBe(micros);
  });

  test('digits beyond the microsecond are cut, as both engines cut them', () => {
    expect(parseInstant('1970-01-01T00:00:00.123456999Z')).toBe(123_456n);
  });

  test.each([
    '2026-01-01T00:00:00',
    '2026-01-01',
    '2026-01-01 00:00:00Z',
    '2026-01-01t00:00:00z',
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T23:59:60Z',
    '2026-01-01T00:00Z',
    '2026-01-01T00:00:00.Z',
    '2026-01-01T00:00:00+0100',
    '2026-01-01T00:00:00+24:00',
    '1899-12-31T00:00:00Z',
    '2300-01-01T00:00:00Z',
    '26-01-01T00:00:00Z',
    ' 2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00Z\n',
    '1767225600',
  ])('%j is not an instant', (text) => {
    expect(tryParseInstant(text)).toBeNull();
    expect(() => parseInstant(text)).toThrow('not an instant');
  });

  test('what is written reads back as the same instant', () => {
    fc.assert(fc.property(anyInstant, (instant) => parseInstant(formatInstant(instant)) === instant));
  });

  test('the clock of JavaScript agrees, to the millisecond', () => {
    fc.assert(
      fc.property(anyInstant, (instant) => {
        const milliseconds = instant / 1000n;
        const theirs = new Date(Number(milliseconds)).toISOString();
        expect(parseInstant(theirs)).toBe(milliseconds * 1000n);
      }),
    );
  });

  test('texts sort as the instants do', () => {
    expect(formatInstant(parseInstant('2026-01-31T23:30:00-01:00'))).toBe('2026-02-01T00:30:00Z');
    expect(formatInstant(1n)).toBe('1970-01-01T00:00:00.000001Z');
  });
});

describe('dates', () => {
  test.each([
    '2026-02-29',
    '2100-02-29',
    '2026-00-01',
    '2026-1-1',
    '2026-04-31',
    '1899-12-31',
    '2026-01-01Z',
  ])('%s is not a date', (text) => {
    expect(tryParseDate(text)).toBeNull();
  });

  test('centuries are leap years only every fourth time', () => {
    expect([1900, 2000, 2024, 2025, 2100].map(isLeapYear)).toEqual([false, true, true, false, false]);
    expect(daysInMonth(2000, 2)).toBe(29);
    expect(daysInMonth(2100, 2)).toBe(28);
  });

  test('a day number and its date name each other', () => {
    fc.assert(
      fc.property(fc.integer({ min: -25_567, max: 120_529 }), (days) => {
        expect(daysSinceEpoch(dateOfDays(days))).toBe(days);
        expect(parseDate(formatDate(dateOfDays(days)))).toEqual(dateOfDays(days));
      }),
    );
  });

  test('a date is its midnight in UTC where an instant is wanted', () => {
    expect(tryParseDateOrInstant('1970-01-02')).toBe(86_400_000_000n);
    expect(tryParseDateOrInstant('1970-01-02T00:00:00Z')).toBe(86_400_000_000n);
    expect(tryParseDateOrInstant('tomorrow')).toBeNull();
    expect(formatDate(dateInUtc(-1n))).toBe('1969-12-31');
  });

  test('weeks start on Monday', () => {
    // 2026-01-01 is a Thursday; the Monday before it is still in 2025.
    expect(dayOfWeek(parseDate('2026-01-01'))).toBe(4);
    expect(formatDate(startOfWeek(parseDate('2026-01-01')))).toBe('2025-12-29');
    expect(formatDate(startOfWeek(parseDate('2026-01-05')))).toBe('2026-01-05');
    expect(formatDate(startOfWeek(parseDate('2026-01-04')))).toBe('2025-12-29');
    fc.assert(
      fc.property(anyDate, (date) => {
        const monday = startOfWeek(date);
        expect(dayOfWeek(monday)).toBe(1);
        expect(daysBetween(monday, date)).toBe(dayOfWeek(date) - 1);
      }),
    );
  });
});

describe('months', () => {
  const plus = (text: string, months: number): string => formatDate(addMonths(parseDate(text), months));

  test.each([
    ['2026-01-31', 1, '2026-02-28'],
    ['2026-01-31', 2, '2026-03-31'],
    ['2026-01-31', 3, '2026-04-30'],
    ['2024-01-31', 1, '2024-02-29'],
    ['2024-02-29', 12, '2025-02-28'],
    ['2024-02-29', 48, '2028-02-29'],
    ['2026-03-31', -1, '2026-02-28'],
    ['2026-01-15', -1, '2025-12-15'],
    ['2026-11-30', 3, '2027-02-28'],
    ['2026-05-05', 0, '2026-05-05'],
  ])('%s plus %i months is %s', (date, months, expected) => {
    expect(plus(date, months)).toBe(expected);
  });

  test('the day is the anchor’s, or the last of a month that is too short; never the next month', () => {
    fc.assert(
      fc.property(anyDate, fc.integer({ min: -600, max: 600 }), (date, months) => {
        const later = addMonths(date, months);
        expect(later.year * 12 + later.month).toBe(date.year * 12 + date.month + months);
        expect(later.day).toBe(Math.min(date.day, daysInMonth(later.year, later.month)));
      }),
    );
  });

  test('later is never earlier: more months from one anchor never go back', () => {
    fc.assert(
      fc.property(anyDate, fc.nat(600), (date, months) => {
        expect(daysBetween(addMonths(date, months), addMonths(date, months + 1))).toBeGreaterThanOrEqual(28);
      }),
    );
  });

  test('adding days crosses months and years', () => {
    expect(formatDate(addDays(parseDate('2024-02-28'), 2))).toBe('2024-03-01');
    expect(formatDate(addDays(parseDate('2026-01-01'), -1))).toBe('2025-12-31');
  });
});

describe('periods', () => {
  test('the start is inside, the end is not', () => {
    const day = period(0n, 10n);
    expect([isWithin(0n, day), isWithin(9n, day), isWithin(10n, day), isWithin(-1n, day)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test('periods that touch share nothing', () => {
    expect(overlapOf(period(0n, 10n), period(10n, 20n))).toBeNull();
    expect(overlapOf(period(0n, 11n), period(10n, 20n))).toEqual(period(10n, 11n));
  });

  test('a period that ends before it starts is refused', () => {
    expect(() => period(1n, 0n)).toThrow('must not end');
  });

  test('an instant is in two periods exactly when it is in what they share', () => {
    const point = fc.bigInt({ min: 0n, max: 30n });
    const anyPeriod = fc.tuple(point, point).map(([a, b]) => (a < b ? period(a, b) : period(b, a)));
    fc.assert(
      fc.property(anyPeriod, anyPeriod, point, (a, b, at) => {
        const shared = overlapOf(a, b);
        expect(isWithin(at, a) && isWithin(at, b)).toBe(shared !== null && isWithin(at, shared));
      }),
    );
  });
});
