import { describe, expect, test } from 'vitest';
import type { PublishedCatalog } from '../core/catalog/tables.js';
import { between, catalogOf, pack, plan, rate, summary, told, uses } from '../test/support/rating.js';
import { soleVersion } from './catalog-versions.js';

const APRIL = between('2026-04-01T00:00:00Z', '2026-05-01T00:00:00Z');
/** $2.00 per 100. */
const PRICED = { ops: { model: 'per_block', amount: '2.00', currency: 'USD', block: '100' } };
const starter = plan({ allowances: { ops: { quantity: '1000' } }, overage: PRICED });
const pro = plan({ allowances: { ops: { quantity: '4000' } }, overage: PRICED });
const catalog = catalogOf({ plans: { starter, pro } });
const STARTER = [{ productId: 'starter' }];

function lines(...input: Parameters<typeof rate>): string[] {
  return rate(...input).lines.map(summary);
}

describe('which price', () => {
  const soft = (amount: string) => ({
    allowances: { ops: { quantity: '100' } },
    overage: { ops: { model: 'per_unit', amount, currency: 'USD' } },
  });
  const sold = catalogOf({
    plans: { starter: plan(soft('0.03')) },
    packages: {
      dear: pack(soft('0.05')),
      cheap: pack(soft('0.02')),
      hard: pack({ ...soft('0.01'), stopPolicy: { default: 'hard' } }),
      stopped: pack({ allowances: { ops: { quantity: '100' } }, stopPolicy: { default: 'hard' } }),
    },
    bundles: {
      both: {
        name: 'Both',
        summary: 'Two',
        packages: ['dear', 'stopped'],
        discount: { percent: '10' },
        stopPolicy: { default: 'soft' },
      },
    },
  });
  const holding = (...items: { kind?: 'plan' | 'bundle' | 'package'; productId: string }[]) =>
    lines(
      sold,
      [told('started', '2026-03-10T00:00:00Z', items)],
      [uses(1000, '2026-03-11T00:00:00Z')],
      APRIL,
    );
  const item = (productId: string) => ({ kind: 'package' as const, productId });

  test('the plan’s before a package’s, the cheapest of several packages’, in whatever order they are listed', () => {
    expect(holding(item('cheap'), { productId: 'starter' })).toEqual([
      '1000 of 200, 800 over: 2400 USD, due',
    ]);
    expect(holding(item('dear'), item('cheap'))).toEqual(['1000 of 200, 800 over: 1600 USD, due']);
    expect(holding(item('cheap'), item('dear'))).toEqual(['1000 of 200, 800 over: 1600 USD, due']);
  });

  test('what lets work go on decides over what stops it; a hard stop alone bills nothing', () => {
    expect(holding(item('hard'), item('dear'))).toEqual(['1000 of 200, 800 over: 4000 USD, due']);
    expect(holding(item('hard'))).toEqual(['1000 of 100, 900 over: nothing, stopped']);
  });

  test('a bundle’s own stop policy stands for its packages’', () => {
    expect(holding({ kind: 'bundle', productId: 'both' })).toEqual(['1000 of 200, 800 over: 4000 USD, due']);
  });

  test('of two plans in a period, the later one’s', () => {
    const plans = catalogOf({
      plans: { starter: plan(soft('0.03')), pro: plan({ ...soft('0.04') }) },
    });
    const events = [
      told('started', '2026-03-10T00:00:00Z', STARTER),
      told('changed', '2026-03-20T00:00:00Z', [{ productId: 'pro' }]),
    ];
    expect(lines(plans, events, [uses(1100, '2026-03-11T00:00:00Z')], APRIL)).toEqual([
      '1100 of 100, 1000 over: 4000 USD, due',
    ]);
  });
});

describe('versions of the catalog', () => {
  const raised = catalogOf({
    plans: {
      starter: plan({
        allowances: { ops: { quantity: '10' } },
        overage: { ops: { model: 'per_unit', amount: '1.00', currency: 'USD' } },
      }),
      newer: plan({
        tier: 3,
        allowances: { ops: { quantity: '7' } },
        overage: { ops: { model: 'per_unit', amount: '1.00', currency: 'USD' } },
      }),
    },
  });
  const [first] = soleVersion(catalog);
  const versions = (from: string): PublishedCatalog[] => [
    ...(first === undefined ? [] : [{ ...first, effectiveTo: from }]),
    { version: 2n, catalog: raised, effectiveFrom: from, effectiveTo: null },
  ];
  const used = [uses(1100, '2026-03-25T00:00:00Z')];

  test('an edit in mid-period changes nothing of that period', () => {
    const events = [told('started', '2026-03-10T00:00:00Z', STARTER)];
    const before = rate(catalog, events, used, APRIL).lines;
    expect(before.map(summary)).toEqual(['1100 of 1000, 100 over: 200 USD, due']);
    expect(rate(versions('2026-03-20T00:00:00Z'), events, used, APRIL).lines).toEqual(before);
  });

  test('a subscription keeps what it was sold; one that starts later is sold the new version', () => {
    const old = [told('started', '2026-01-10T00:00:00Z', STARTER)];
    const recent = [told('started', '2026-03-10T00:00:00Z', STARTER)];
    const since = versions('2026-03-01T00:00:00Z');
    expect(rate(since, old, used, APRIL).lines).toMatchObject([{ overage: '100', catalogVersion: 1n }]);
    expect(rate(since, recent, used, APRIL).lines).toMatchObject([{ overage: '1090', catalogVersion: 2n }]);
  });

  test('a change of seats keeps the version, another product is sold under the newer one', () => {
    const since = versions('2026-03-01T00:00:00Z');
    const start = told('started', '2026-01-10T00:00:00Z', STARTER);
    const seats = told('changed', '2026-03-10T00:00:00Z', [{ productId: 'starter', quantity: 3 }]);
    expect(rate(since, [start, seats], used, APRIL).lines).toMatchObject([{ catalogVersion: 1n }]);
    const newer = told('changed', '2026-03-10T00:00:00Z', [{ productId: 'newer' }]);
    expect(rate(since, [start, newer], used, APRIL).lines).toMatchObject([
      { included: '7', overage: '1093', catalogVersion: 2n },
    ]);
  });

  test('a product that no catalog knew when it was sold is rated from the first period in which one does', () => {
    const early = [told('started', '2026-01-10T00:00:00Z', [{ productId: 'newer' }])];
    expect(rate(versions('2026-03-20T00:00:00Z'), early, used, APRIL).questions).toEqual([]);
    expect(rate(versions('2026-03-10T00:00:00Z'), early, used, APRIL).lines).toMatchObject([
      { overage: '1093' },
    ]);
  });

  test('without any catalog it says what to do', () => {
    expect(() => rate([], [], [], APRIL)).toThrow(/headgate catalog publish/);
  });
});
