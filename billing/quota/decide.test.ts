import { expect, test } from 'vitest';
import { parseDecimal } from '../../core/decimal.js';
import type { PriceFound } from '../overage-price.js';
import type { SpendCap } from '../overage-terms.js';
import { decide, strictest, type Delinquency, type Known, type Standing } from './decide.js';

/** Ten cents a unit. */
const PRICE: PriceFound = {
  ok: true,
  currency: 'USD',
  isAssumed: false,
  terms: { model: 'per_unit', amount: parseDecimal('0.10') },
};
const cap = (amountMinor: bigint, capId = 'growth', covers: SpendCap['covers'] = 'product'): SpendCap => ({
  ...{ amountMinor, currency: 'USD', capId, covers, isAssumed: false },
});
const whole = (amountMinor: bigint) => cap(amountMinor, '(own)', 'subscription');
const owes = (amountMinor: bigint, ...caps: SpendCap[]) => ({ caps, catalogVersion: 1n, amountMinor });

function metered(remaining: string | null, more: Partial<Standing> = {}): Known {
  return {
    is: 'metered',
    standing: {
      remaining: remaining === null ? null : parseDecimal(remaining),
      overage: parseDecimal('0'),
      stop: 'soft',
      price: PRICE,
      spendCaps: [],
      catalogVersion: 1n,
      elsewhere: [],
      ...more,
    },
  };
}
const hard: Partial<Standing> = { stop: 'hard', price: null };
const over = (overage: string): Partial<Standing> => ({ overage: parseDecimal(overage) });

test.each<[string, Known, string, Delinquency, string]>([
  ['the last unit fits', metered('1'), '1', 'none', 'allow within_allowance 0'],
  ['a part of one', metered('0.5'), '0.25', 'none', 'allow within_allowance 0'],
  [
    'one too many is billed: 1 × 10 ¢',
    metered('4'),
    '5',
    'none',
    'allow_with_overage over_allowance_billed 10',
  ],
  [
    'beyond: 20 + 5 over',
    metered('0', over('20')),
    '5',
    'none',
    'allow_with_overage over_allowance_billed 250',
  ],
  ['a hard stop pauses the whole quantity', metered('4', hard), '5', 'none', 'pause hard_stop -'],
  ['a hard stop with room', metered('5', hard), '5', 'none', 'allow within_allowance -'],
  ['at a hard stop', metered('0', hard), '0.000000000001', 'none', 'pause hard_stop -'],
  ['no limit', metered(null, hard), '999999999999999999', 'none', 'allow unlimited -'],
  [
    'up to the cap: 50 × 10 ¢ = $5.00',
    metered('0', { spendCaps: [cap(500n)] }),
    '50',
    'none',
    'allow_with_overage over_allowance_billed 500',
  ],
  ['a cent over the cap', metered('0', { spendCaps: [cap(499n)] }), '50', 'none', 'pause spend_cap 500'],
  [
    'what other meters owe under the same cap counts',
    metered('0', { spendCaps: [cap(500n)], elsewhere: [owes(1n, cap(500n))] }),
    '50',
    'none',
    'pause spend_cap 500',
  ],
  [
    'but not what is under another product’s',
    metered('0', { spendCaps: [cap(500n)], elsewhere: [owes(9_999n, cap(9_999n, 'extra'))] }),
    '50',
    'none',
    'allow_with_overage over_allowance_billed 500',
  ],
  [
    'nor for a cap of its own',
    metered('0', { spendCaps: [cap(500n, '(own) ops', 'meter')], elsewhere: [owes(1n)] }),
    '50',
    'none',
    'allow_with_overage over_allowance_billed 500',
  ],
  [
    'of all caps one that would be passed is enough: the product’s, beside an own one with room',
    metered('0', { spendCaps: [cap(499n), whole(5_000n)] }),
    '50',
    'none',
    'pause spend_cap 500',
  ],
  [
    'the own one of all meters, beside the product’s with room',
    metered('0', { spendCaps: [cap(5_000n), whole(600n)], elsewhere: [owes(101n, whole(600n))] }),
    '50',
    'none',
    'pause spend_cap 500',
  ],
  [
    'what other caps give back of other meters does not count: 999 of which 100 are billed',
    metered('0', {
      spendCaps: [whole(600n)],
      elsewhere: [owes(999n, cap(100n, 'extra'), whole(600n))],
    }),
    '50',
    'none',
    'allow_with_overage over_allowance_billed 500',
  ],
  [
    'a cap does not bound what is included',
    metered('9', { spendCaps: [cap(0n)] }),
    '9',
    'none',
    'allow within_allowance 0',
  ],
  [
    'a cap of nothing is a hard stop',
    metered('9', { spendCaps: [cap(0n)] }),
    '10',
    'none',
    'pause spend_cap 10',
  ],
  [
    'soft, and no price',
    metered('0', { price: { ok: false, reason: 'none' } }),
    '1',
    'none',
    'allow_with_overage over_allowance_unpriced -',
  ],
  ['who is late goes on', metered('1'), '1', 'past_due', 'allow within_allowance 0'],
  ['who does not pay gets nothing', metered('1'), '1', 'paused', 'pause payment_overdue -'],
  ['not even without limit', metered(null), '1', 'paused', 'pause payment_overdue -'],
  ['nothing held', { is: 'not_subscribed' }, '1', 'none', 'pause not_subscribed -'],
  ['a trial', { is: 'not_billed' }, '1', 'none', 'allow not_billed -'],
  ['unknown, open', { is: 'unknown', whenUnknown: 'open' }, '1', 'none', 'allow usage_unknown -'],
  ['unknown, closed', { is: 'unknown', whenUnknown: 'closed' }, '1', 'none', 'pause usage_unknown -'],
  [
    'unknown, and does not pay',
    { is: 'unknown', whenUnknown: 'open' },
    '1',
    'paused',
    'pause payment_overdue -',
  ],
])('%s', (_, known, quantity, delinquency, expected) => {
  const { decision, reason, amountAfter } = decide(known, parseDecimal(quantity), delinquency);
  expect(`${decision} ${reason} ${amountAfter?.amountMinor ?? '-'}`).toBe(expected);
});

test('of several the strictest decides, of equals the first', () => {
  const of = (...decisions: ('allow' | 'allow_with_overage' | 'pause')[]) =>
    strictest(decisions.map((decision, place) => ({ decision, place })))?.place;
  expect(of('allow', 'pause', 'allow_with_overage', 'pause')).toBe(1);
  expect(of('allow', 'allow_with_overage')).toBe(1);
  expect(of('allow', 'allow')).toBe(0);
  expect(of()).toBeUndefined();
});
