import { expect, test } from 'vitest';
import { approvalReason, NOTHING_BILLED, type ApprovalRules } from './approval.js';

const usd = (amountMinor: bigint) => ({ amountMinor, currency: 'USD' });
const rules = (above: bigint | null, risePercent: number | null): ApprovalRules => ({
  aboveMinor: new Map(above === null ? [] : [['USD', above]]),
  risePercent,
});

test.each([
  ['at the bound', 10_000n, null],
  ['a cent above it', 10_001n, 'it is of more than $100.00'],
])('%s', (_, amount, reason) => {
  expect(approvalReason(usd(amount), NOTHING_BILLED, rules(10_000n, null))).toBe(reason);
});

test('a currency without a bound has none', () => {
  expect(
    approvalReason({ amountMinor: 10n ** 12n, currency: 'JPY' }, NOTHING_BILLED, rules(1n, null)),
  ).toBeNull();
});

// $80.00 last month; half as much again is $120.00.
test.each([
  ['a rise to the very percentage', 0n, 12_000n, null],
  [
    'a cent more',
    0n,
    12_001n,
    'it brings the month to $120.01, more than 50 % over the $80.00 of the month before',
  ],
  [
    'what the month had already counts',
    11_990n,
    11n,
    'it brings the month to $120.01, more than 50 % over the $80.00 of the month before',
  ],
])('%s', (_, monthMinor, amount, reason) => {
  expect(approvalReason(usd(amount), { monthMinor, lastMonthMinor: 8_000n }, rules(null, 50))).toBe(reason);
});

test('a first month rises by no percentage', () => {
  expect(approvalReason(usd(10n ** 9n), NOTHING_BILLED, rules(null, 0))).toBeNull();
});
