import { expect, test } from 'vitest';
import { parseInstant } from '../../core/time.js';
import { ageOf, AGES, daysPastDue, dueWithin } from './aging.js';

const AS_OF = parseInstant('2026-06-01T12:00:00Z');

test.each([
  ['2026-06-15T00:00:00Z', 0, '0'],
  ['2026-06-01T12:00:00Z', 0, '0'],
  ['2026-05-31T12:00:00.000001Z', 0, '0'],
  ['2026-05-31T12:00:00Z', 1, '1-30'],
  ['2026-05-02T12:00:00Z', 30, '1-30'],
  ['2026-05-01T12:00:00Z', 31, '31-60'],
  ['2026-04-17T09:00:00Z', 45, '31-60'],
  ['2026-04-02T12:00:00Z', 60, '31-60'],
  ['2026-04-01T12:00:00Z', 61, '61-90'],
  ['2026-03-03T12:00:00Z', 90, '61-90'],
  ['2026-03-02T12:00:00Z', 91, '90+'],
] as const)('what was due %s is %i whole days past due: %s', (due, days, age) => {
  const dueAt = parseInstant(due);
  expect(daysPastDue(dueAt, AS_OF)).toBe(days);
  expect(ageOf(days)).toBe(age);
  // The bounds that SQL sums by put it into the same age, and into no other.
  const within = AGES.filter((one) => {
    const { after, until } = dueWithin(one, AS_OF);
    return (after === null || dueAt > after) && (until === null || dueAt <= until);
  });
  expect(within).toEqual([age]);
});
