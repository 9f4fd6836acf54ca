import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MICROS_PER_DAY, parseInstant } from '../core/time.js';
import { dunningOf, type DunnedInvoice } from './dunning.js';

const at = parseInstant;
const NOW = at('2026-10-20T00:00:00Z');

const invoice = (more: Partial<DunnedInvoice> = {}): DunnedInvoice => ({
  ...{ invoiceId: 'in_1', status: 'open', remainingMinor: 500n, dueAt: null },
  ...{ attemptCount: 0, nextPaymentAttemptAt: null, failingSince: null },
  ...more,
});
const failing = (since: string, more: Partial<DunnedInvoice> = {}): DunnedInvoice =>
  invoice({ failingSince: at(since), attemptCount: 1, ...more });

test('nothing owed, nothing due yet, nothing tried yet: current', () => {
  expect(dunningOf([], NOW, 14)).toEqual({ state: 'current' });
  expect(dunningOf([invoice()], NOW, 14)).toEqual({ state: 'current' });
  expect(dunningOf([invoice({ dueAt: at('2026-10-20T00:00:01Z') })], NOW, 14)).toEqual({ state: 'current' });
});

test.each([
  ['paid', { status: 'paid', remainingMinor: 0n }],
  ['void', { status: 'void' }],
  ['credited whole', { remainingMinor: 0n }],
] as const)('one that is %s is owed no longer, however often it failed', (_, more) => {
  expect(dunningOf([failing('2026-09-01T00:00:00Z', more)], NOW, 14)).toEqual({ state: 'current' });
});

test('a payment that failed: past due, with attempts and the next one, until the grace is over', () => {
  // 14 days after the 10th at noon: the 24th at noon.
  const next = at('2026-10-23T12:00:00Z');
  const failed = failing('2026-10-10T12:00:00Z', { attemptCount: 2, nextPaymentAttemptAt: next });
  expect(dunningOf([failed], NOW, 14)).toEqual({
    ...{ state: 'past_due', invoiceId: 'in_1', since: at('2026-10-10T12:00:00Z') },
    ...{ attempts: 2, nextAttemptAt: next, pausesAt: at('2026-10-24T12:00:00Z') },
  });
  expect(dunningOf([failed], at('2026-10-24T11:59:59.999999Z'), 14).state).toBe('past_due');
  expect(dunningOf([failed], at('2026-10-24T12:00:00Z'), 14).state).toBe('paused');
});

test('one that is sent is late from when it was due', () => {
  const sent = invoice({ dueAt: at('2026-10-19T00:00:00Z') });
  expect(dunningOf([sent], NOW, 14)).toMatchObject({ state: 'past_due', since: at('2026-10-19T00:00:00Z') });
});

test('without grace the service rests at once', () => {
  expect(dunningOf([failing('2026-10-20T00:00:00Z')], NOW, 0).state).toBe('paused');
});

test('of several the one that has been owed longest decides', () => {
  const older = failing('2026-10-01T00:00:00Z', { invoiceId: 'in_2' });
  expect(dunningOf([failing('2026-10-19T00:00:00Z'), older], NOW, 14)).toMatchObject({
    ...{ state: 'paused', invoiceId: 'in_2' },
  });
});

test('one that was given up is worse than any that is late', () => {
  const givenUp = invoice({ invoiceId: 'in_3', status: 'uncollectible' });
  expect(dunningOf([failing('2026-09-01T00:00:00Z'), givenUp], NOW, 14)).toEqual({
    ...{ state: 'uncollectible', invoiceId: 'in_3' },
  });
});

test('more time never makes it better, more grace never worse', () => {
  const SEVERITY = ['current', 'past_due', 'paused', 'uncollectible'];
  const anInvoice = fc.record({
    invoiceId: fc.constantFrom('in_1', 'in_2', 'in_3'),
    status: fc.constantFrom('open', 'paid', 'uncollectible', 'void'),
    remainingMinor: fc.bigInt({ min: 0n, max: 2n }),
    dueAt: fc.option(fc.bigInt({ min: 0n, max: 60n * MICROS_PER_DAY })),
    attemptCount: fc.nat(4),
    nextPaymentAttemptAt: fc.constant(null),
    failingSince: fc.option(fc.bigInt({ min: 0n, max: 60n * MICROS_PER_DAY })),
  });
  const day = fc.bigInt({ min: 0n, max: 90n });
  fc.assert(
    fc.property(fc.array(anInvoice), day, day, fc.nat(30), (invoices, first, more, grace) => {
      const severity = (now: bigint, graceDays: number): number =>
        SEVERITY.indexOf(dunningOf(invoices, now * MICROS_PER_DAY, graceDays).state);
      expect(severity(first + more, grace)).toBeGreaterThanOrEqual(severity(first, grace));
      expect(severity(first, grace + 1)).toBeLessThanOrEqual(severity(first, grace));
    }),
  );
});
