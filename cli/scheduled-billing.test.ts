import { expect, test } from 'vitest';
import { monthsToBill } from './scheduled-billing.js';

test('a month that nobody could bill is billed later, without a gap, at most three months back', () => {
  expect(monthsToBill('2026-10-01', '2026-08-01')).toEqual(['2026-08-01', '2026-09-01', '2026-10-01']);
  expect(monthsToBill('2026-10-01', '2025-01-01')).toEqual([
    '2026-07-01',
    '2026-08-01',
    '2026-09-01',
    '2026-10-01',
  ]);
});

test('what was before the first bill is nobody’s to bill by itself', () => {
  expect(monthsToBill('2026-10-01', null)).toEqual(['2026-10-01']);
  expect(monthsToBill('2026-10-01', '2026-10-01')).toEqual(['2026-10-01']);
});
