import { describe, expect, test } from 'vitest';
import {
  adjusted,
  between,
  catalogOf,
  pack,
  plan,
  signed,
  summary,
  told,
  uses,
} from '../test/support/rating.js';

const SEPTEMBER = between('2026-09-01T00:00:00Z', '2026-10-01T00:00:00Z');
const each = (amount: string, currency = 'USD') => ({ model: 'per_unit', amount, currency });
const CATALOG = catalogOf({
  plans: {
    growth: plan({ allowances: { ops: { quantity: '1000' } }, overage: { ops: each('0.05') } }),
  },
  packages: { digest: pack({ allowances: { ops: { quantity: '500' } }, overage: { ops: each('0.04') } }) },
});
const GROWTH = [told('started', '2026-08-01T00:00:00Z', [{ productId: 'growth' }])];
/** 2,000 ops in September. */
const rated = (contracts: readonly ReturnType<typeof signed>[], events = GROWTH) =>
  adjusted(CATALOG, events, [uses(2_000, '2026-09-20T00:00:00Z')], SEPTEMBER, { signed: contracts }).map(
    summary,
  );

test('without a contract the catalog holds', () => {
  expect(rated([])).toEqual(['2000 of 1000, 1000 over: 5000 USD, due']);
});

test('a price that was agreed is the price', () => {
  expect(rated([signed('ct_1', { prices: { ops: each('0.01') } })])).toEqual([
    '2000 of 1000, 1000 over: 1000 USD, due',
  ]);
});

test('an allowance that was agreed stands in place of all that the subscription includes of the meter', () => {
  const both = [
    told('started', '2026-08-01T00:00:00Z', [
      { productId: 'growth' },
      { kind: 'package' as const, productId: 'digest' },
    ]),
  ];
  expect(rated([], both)).toEqual(['2000 of 1500, 500 over: 2500 USD, due']);
  expect(rated([signed('ct_1', { allowances: { ops: { quantity: '1900' } } })], both)).toEqual([
    '2000 of 1900, 100 over: 500 USD, due',
  ]);
  expect(rated([signed('ct_1', { allowances: { ops: { unlimited: true } } })], both)).toEqual([
    '2000 of any, 0 over: 0 USD, within',
  ]);
});

test('for its term alone: an allowance counts by seconds, and the price that held last decides', () => {
  const from = (startsAt: string, endsAt: string) =>
    signed(
      'ct_1',
      { allowances: { ops: { quantity: '1600' } }, prices: { ops: each('0.01') } },
      { startsAt, endsAt },
    );
  // 15 days of 1,000 and 15 of 1,600 are 1,300.
  expect(rated([from('2026-09-16T00:00:00Z', '2027-01-01T00:00:00Z')])).toEqual([
    '2000 of 1300, 700 over: 700 USD, due',
  ]);
  expect(rated([from('2026-01-01T00:00:00Z', '2026-09-16T00:00:00Z')])).toEqual([
    '2000 of 1300, 700 over: 3500 USD, due',
  ]);
  expect(rated([from('2026-10-01T00:00:00Z', '2027-01-01T00:00:00Z')])).toEqual(rated([]));
});

describe('of two contracts', () => {
  const first = signed('ct_1', { prices: { ops: each('0.01') }, allowances: { ops: { quantity: '1500' } } });
  const second = signed('ct_2', { prices: { ops: each('0.02') } }, { startsAt: '2026-02-01T00:00:00Z' });

  test('the one that was signed last decides on what it names, whatever comes first', () => {
    const expected = ['2000 of 1500, 500 over: 1000 USD, due'];
    expect(rated([first, second])).toEqual(expected);
    expect(rated([second, first])).toEqual(expected);
  });

  test('another org’s is nobody’s business', () => {
    const theirs = signed('ct_3', { prices: { ops: each('9.00') } }, { orgId: 'org_2' });
    expect(rated([theirs])).toEqual(rated([]));
  });
});

test('what was agreed and can not be read is billed to nobody, and the contract is named', () => {
  const lines = adjusted(CATALOG, GROWTH, [uses(2_000, '2026-09-20T00:00:00Z')], SEPTEMBER, {
    signed: [signed('ct_1', { prices: { ops: { each: 5 } } })],
  });
  expect(lines).toMatchObject([{ status: 'unrated', amount: null }]);
  expect(lines[0]?.reason).toContain('contract ct_1 has no price of ops');
});

test('a price in another currency is said to be missing, and not converted', () => {
  const lines = adjusted(CATALOG, GROWTH, [uses(2_000, '2026-09-20T00:00:00Z')], SEPTEMBER, {
    signed: [signed('ct_1', { prices: { ops: each('0.01', 'EUR') } })],
  });
  expect(lines).toMatchObject([{ status: 'unpriced', amount: null }]);
});
