import { expect, test } from 'vitest';
import { parseInstant } from '../core/time.js';
import { billingMonth } from './billing-month.js';

test('without a month it is the last one that was over, at the very instant of its end too', () => {
  expect(billingMonth(undefined, parseInstant('2026-05-01T00:00:00Z'), 'UTC').first).toBe('2026-04-01');
  expect(billingMonth(undefined, parseInstant('2026-04-30T23:59:59Z'), 'UTC').first).toBe('2026-03-01');
});

test("a month is over when it is over in the catalog's zone", () => {
  // 05:00 UTC on the first of May is 22:00 on the 30th of April in Los Angeles (UTC−7 in summer).
  const asOf = parseInstant('2026-05-01T05:00:00Z');
  const { first, ending } = billingMonth(undefined, asOf, 'America/Los_Angeles');
  expect(first).toBe('2026-03-01');
  // March begins there at UTC−8 and ends, summer time having begun, at UTC−7.
  expect(ending).toEqual({
    start: parseInstant('2026-03-01T08:00:00Z'),
    end: parseInstant('2026-04-01T07:00:00Z'),
  });
});
