import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addIntervals,
  dateIn,
  dayOf,
  instantOf,
  isZone,
  localTimeOf,
  monthOf,
  periodFromAnchor,
  requireZone,
  startOfDay,
  weekOf,
  zoneOffset,
} from './calendar.js';
import {
  compareDates,
  dateOfDays,
  formatDate,
  formatInstant,
  isWithin,
  parseDate,
  parseInstant,
} from './time.js';

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Sao_Paulo',
  'America/Havana',
  'Asia/Kolkata',
  'Asia/Tehran',
  'Australia/Lord_Howe',
  'Pacific/Apia',
];
const anyZone = fc.constantFrom(...ZONES);
// 1975 to 2035: every rule these zones have had in computing's time.
const anyInstant = fc.bigInt({ min: 157_766_400_000_000n, max: 2_051_222_400_000_000n });
const anyDate = fc.integer({ min: 1_826, max: 23_741 }).map(dateOfDays);

const start = (date: string, zone: string): string => formatInstant(startOfDay(parseDate(date), zone));

describe('a day in a zone', () => {
  test.each([
    ['2026-01-15', 'UTC', '2026-01-15T00:00:00Z'],
    ['2026-01-15', 'Europe/Berlin', '2026-01-14T23:00:00Z'],
    ['2026-07-15', 'Europe/Berlin', '2026-07-14T22:00:00Z'],
    ['2026-01-15', 'Asia/Kolkata', '2026-01-14T18:30:00Z'],
    ['2026-01-15', 'America/New_York', '2026-01-15T05:00:00Z'],
    // Brazil's clocks went from 00:00 to 01:00: the day began at 01:00, which is 03:00 UTC.
    ['2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00Z'],
    // … and back from 00:00 to 23:00: midnight came an hour later, at 03:00 UTC.
    ['2018-02-18', 'America/Sao_Paulo', '2018-02-18T03:00:00Z'],
    // Havana shows midnight twice (01:00 goes back to 00:00); the day begins at the first, still at -04:00.
    ['2025-11-02', 'America/Havana', '2025-11-02T04:00:00Z'],
  ])('%s in %s begins at %s', (date, zone, expected) => {
    expect(start(date, zone)).toBe(expected);
  });

  test('a day on which clocks change has 23 or 25 hours', () => {
    const hours = (instant: string, zone: string): bigint => {
      const { start: from, end } = dayOf(parseInstant(instant), zone);
      return (end - from) / 3_600_000_000n;
    };
    expect(hours('2026-03-29T12:00:00Z', 'Europe/Berlin')).toBe(23n);
    expect(hours('2026-10-25T12:00:00Z', 'Europe/Berlin')).toBe(25n);
    expect(hours('2026-05-01T12:00:00Z', 'Europe/Berlin')).toBe(24n);
  });

  test('a day that a zone skipped begins and ends at once', () => {
    // Samoa crossed the date line: after 29 December 2011 came the 31st.
    expect(start('2011-12-30', 'Pacific/Apia')).toBe(start('2011-12-31', 'Pacific/Apia'));
    expect(start('2011-12-31', 'Pacific/Apia')).toBe('2011-12-30T10:00:00Z');
  });

  test('an instant is inside its own day, week and month, in any zone', () => {
    fc.assert(
      fc.property(anyInstant, anyZone, (instant, zone) => {
        expect(isWithin(instant, dayOf(instant, zone))).toBe(true);
        expect(isWithin(instant, weekOf(instant, zone))).toBe(true);
        expect(isWithin(instant, monthOf(instant, zone))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('no instant before the start of a day shows that day or a later one', () => {
    fc.assert(
      fc.property(anyDate, anyZone, (date, zone) => {
        const begin = startOfDay(date, zone);
        expect(compareDates(dateIn(begin, zone), date)).toBeGreaterThanOrEqual(0);
        expect(compareDates(dateIn(begin - 1n, zone), date)).toBeLessThan(0);
      }),
      { numRuns: 300 },
    );
  });
});

describe('months and weeks in a zone', () => {
  test('a month begins at its local midnight on both sides of a clock change', () => {
    const { start: from, end } = monthOf(parseInstant('2026-03-15T00:00:00Z'), 'Europe/Berlin');
    expect([from, end].map(formatInstant)).toEqual(['2026-02-28T23:00:00Z', '2026-03-31T22:00:00Z']);
  });

  test('the last minutes of a month in UTC are the next month in Berlin', () => {
    const { start: from } = monthOf(parseInstant('2026-01-31T23:30:00Z'), 'Europe/Berlin');
    expect(formatInstant(from)).toBe('2026-01-31T23:00:00Z');
  });

  test('a week goes from Monday to Monday', () => {
    const { start: from, end } = weekOf(parseInstant('2026-01-01T12:00:00Z'), 'UTC');
    expect([from, end].map(formatInstant)).toEqual(['2025-12-29T00:00:00Z', '2026-01-05T00:00:00Z']);
  });
});

describe('wall clocks', () => {
  const at = (
    date: string,
    hour: number,
    minute: number,
  ): { date: ReturnType<typeof parseDate>; microOfDay: bigint } => ({
    date: parseDate(date),
    microOfDay: BigInt(hour * 60 + minute) * 60_000_000n,
  });

  test('a time that is shown twice is the first of the two', () => {
    expect(formatInstant(instantOf(at('2026-10-25', 2, 30), 'Europe/Berlin'))).toBe('2026-10-25T00:30:00Z');
  });

  test('a time that is never shown is as much later as the clocks jumped', () => {
    // 02:30 does not exist on 29 March; 03:30 summer time is 01:30 UTC.
    expect(formatInstant(instantOf(at('2026-03-29', 2, 30), 'Europe/Berlin'))).toBe('2026-03-29T01:30:00Z');
  });

  test('an offset can be half an hour and a clock change too', () => {
    expect(zoneOffset(parseInstant('2026-01-01T00:00:00Z'), 'Asia/Kolkata')).toBe(19_800_000_000n);
    const winter = zoneOffset(parseInstant('2026-07-01T00:00:00Z'), 'Australia/Lord_Howe');
    const summer = zoneOffset(parseInstant('2026-01-01T00:00:00Z'), 'Australia/Lord_Howe');
    expect(summer - winter).toBe(1_800_000_000n);
  });

  test('microseconds survive, before 1970 too', () => {
    const instant = parseInstant('1965-06-01T10:00:00.000001Z');
    expect(localTimeOf(instant, 'Europe/Berlin').microOfDay).toBe(39_600_000_001n);
  });

  test('from instant to wall clock and back is the instant, or the first of two that show the same', () => {
    fc.assert(
      fc.property(anyInstant, anyZone, (instant, zone) => {
        const back = instantOf(localTimeOf(instant, zone), zone);
        expect(back <= instant).toBe(true);
        expect(localTimeOf(back, zone)).toEqual(localTimeOf(instant, zone));
      }),
      { numRuns: 300 },
    );
  });

  test('a zone is one of IANA, not an offset and not a guess', () => {
    expect(['Europe/Berlin', 'UTC'].every(isZone)).toBe(true);
    expect(['+02:00', 'Berlin', '', 'Europe/Nowhere'].some(isZone)).toBe(false);
    expect(() => requireZone('Mars/Base')).toThrow('write one like Europe/Berlin');
  });
});

describe('subscription periods', () => {
  const monthly = { unit: 'month', count: 1 } as const;
  const anchor = parseInstant('2026-01-31T10:00:00Z');
  const borders = (instant: string): string[] => {
    const found = periodFromAnchor(anchor, monthly, parseInstant(instant), 'UTC');
    return [found.start, found.end].map(formatInstant);
  };

  test('anchored on the 31st, periods end with short months and return to the 31st', () => {
    expect(borders('2026-02-10T00:00:00Z')).toEqual(['2026-01-31T10:00:00Z', '2026-02-28T10:00:00Z']);
    expect(borders('2026-03-01T00:00:00Z')).toEqual(['2026-02-28T10:00:00Z', '2026-03-31T10:00:00Z']);
    expect(borders('2026-03-31T10:00:00Z')).toEqual(['2026-03-31T10:00:00Z', '2026-04-30T10:00:00Z']);
  });

  test('before the anchor the periods go on backwards', () => {
    expect(borders('2026-01-31T09:59:59Z')).toEqual(['2025-12-31T10:00:00Z', '2026-01-31T10:00:00Z']);
    expect(borders('2025-11-30T10:00:00Z')).toEqual(['2025-11-30T10:00:00Z', '2025-12-31T10:00:00Z']);
  });

  test('the wall clock of the anchor is kept when summer time begins', () => {
    const berlin = addIntervals(parseInstant('2026-03-15T23:00:00Z'), 1, 'month', 'Europe/Berlin');
    expect(formatInstant(berlin)).toBe('2026-04-15T22:00:00Z');
  });

  test('a leap day returns after four years', () => {
    const leap = parseInstant('2024-02-29T00:00:00Z');
    const years = [1, 2, 3, 4].map((count) =>
      formatDate(dateIn(addIntervals(leap, count, 'year', 'UTC'), 'UTC')),
    );
    expect(years).toEqual(['2025-02-28', '2026-02-28', '2027-02-28', '2028-02-29']);
  });

  test('days are counted across the one that a zone skipped', () => {
    const anchor = parseInstant('2011-12-30T10:00:00Z'); // Midnight of the 31st in Apia, the 30th never was.
    const daily = { unit: 'day', count: 1 } as const;
    const found = periodFromAnchor(anchor, daily, parseInstant('2011-12-28T12:00:00Z'), 'Pacific/Apia');
    expect(formatInstant(found.start)).toBe('2011-12-28T10:00:00Z');
    expect(formatInstant(found.end)).toBe('2011-12-29T10:00:00Z');
  });

  test('the period found holds the instant, and its neighbours touch it', () => {
    const anyStep = fc.record({
      unit: fc.constantFrom('day', 'week', 'month', 'quarter', 'year'),
      count: fc.integer({ min: 1, max: 6 }),
    });
    fc.assert(
      fc.property(anyInstant, anyInstant, anyStep, anyZone, (from, instant, step, zone) => {
        const found = periodFromAnchor(from, step, instant, zone);
        expect(isWithin(instant, found)).toBe(true);
        expect(periodFromAnchor(from, step, found.end, zone).start).toBe(found.end);
      }),
      { numRuns: 200 },
    );
  });
});
