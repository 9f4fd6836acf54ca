import { expect, test } from 'vitest';
import { parseCatalog, type Catalog } from './catalog.js';
import { CATALOG_TABLES, catalogTables, type CatalogTableName } from './catalog-tables.js';
import { exampleDocument, exampleWith } from './catalog/catalog-example.js';
import type { Row } from './catalog/tables.js';

function catalogOf(document: unknown): Catalog {
  const result = parseCatalog(document);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.catalog;
}

/** The rows of a table for version 1, without the version. */
function rowsOf(name: CatalogTableName, document: unknown = exampleDocument()): Row[] {
  const published = { version: 1n, catalog: catalogOf(document), effectiveFrom: null, effectiveTo: null };
  return catalogTables([published])[name].rows.map(({ version, ...row }) => {
    expect(version).toBe(1n);
    return row;
  });
}

test('without a version every table is there, with its columns and no row', () => {
  const tables = catalogTables([]);
  expect(Object.keys(tables).sort()).toEqual(Object.keys(CATALOG_TABLES).sort());
  for (const { columns, rows } of Object.values(tables)) {
    expect(Object.keys(columns)[0]).toBe('version');
    expect(rows).toEqual([]);
  }
});

test('every row has exactly the columns of its table, in their types', () => {
  const published = {
    version: 3n,
    catalog: catalogOf(exampleDocument()),
    effectiveFrom: '2026-01-01T00:00:00Z',
    effectiveTo: null,
  };
  const typeOf = {
    text: 'string',
    bigint: 'bigint',
    integer: 'number',
    boolean: 'boolean',
    date: 'string',
    timestamp: 'string',
  };
  for (const { columns, rows } of Object.values(catalogTables([published]))) {
    for (const row of rows) {
      expect(Object.keys(row).sort()).toEqual(Object.keys(columns).sort());
      for (const [column, type] of Object.entries(columns)) {
        if (row[column] !== null) expect(typeof row[column], column).toBe(typeOf[type]);
      }
    }
  }
});

test('two versions stand side by side, half-open', () => {
  const catalog = catalogOf(exampleDocument());
  const rows = catalogTables([
    { version: 1n, catalog, effectiveFrom: null, effectiveTo: '2026-03-01T12:30:00.5Z' },
    { version: 2n, catalog, effectiveFrom: '2026-03-01T12:30:00.5Z', effectiveTo: null },
  ]).catalog_settings.rows;
  expect(rows).toMatchObject([
    {
      version: 1n,
      effective_from: null,
      effective_to: '2026-03-01 12:30:00.5',
      has_packages: true,
      min_support: 20n,
    },
    { version: 2n, effective_from: '2026-03-01 12:30:00.5', effective_to: null },
  ]);
});

test('plans: free is a price of 0, once is no interval, a discount is ppm', () => {
  expect(rowsOf('catalog_plans')).toEqual([
    {
      plan_id: 'free',
      name: 'Free',
      price_minor: 0n,
      currency: 'USD',
      interval: 'month',
      is_per_seat: false,
      is_free: true,
      annual_discount_ppm: 0n,
      is_assumed: false,
      is_annual_discount_assumed: false,
    },
    {
      plan_id: 'growth',
      name: 'Growth',
      price_minor: 9_900n,
      currency: 'USD',
      interval: 'month',
      is_per_seat: true,
      is_free: false,
      annual_discount_ppm: 100_000n,
      is_assumed: false,
      is_annual_discount_assumed: false,
    },
  ]);
  expect(rowsOf('catalog_addons')).toMatchObject([
    { addon_id: 'setup', price_minor: 500_000n, interval: null },
  ]);
});

test('a bundle without a price costs its packages less the discount; one with a price shows what it saves', () => {
  // pair: 49.00 + 149.00 = 198.00, less 25% = 148.50.
  // trio: 49 + 149 + 52 = 250.00 apart, 200.00 together: 50 / 250 = 20%.
  expect(rowsOf('catalog_bundles')).toMatchObject([
    { bundle_id: 'pair', price_minor: 14_850n, discount_ppm: 250_000n },
    { bundle_id: 'trio', price_minor: 20_000n, discount_ppm: 200_000n },
  ]);
  expect(rowsOf('catalog_bundle_packages')).toEqual([
    { bundle_id: 'pair', package_id: 'digest' },
    { bundle_id: 'pair', package_id: 'report' },
    { bundle_id: 'trio', package_id: 'desk' },
    { bundle_id: 'trio', package_id: 'digest' },
    { bundle_id: 'trio', package_id: 'report' },
  ]);
});

test('the half cent of a bundle rounds away from zero', () => {
  // 49.01 + 149.00 = 198.01; three quarters are 148.5075 → 148.51.
  const document = exampleWith(['packages', 'digest', 'price', 'amount'], '49.01');
  expect(rowsOf('catalog_bundles', document)[0]).toMatchObject({ price_minor: 14_851n });
});

test('who may have what is written out, orgs without plan or segment included', () => {
  const allowed = rowsOf('catalog_allowed_items').map(
    ({ item_kind: kind, item_id: id, plan_id: plan, segment }) =>
      [kind, id, plan, segment].map(String).join(' '),
  );
  // digest: nobody is left out: plans free, growth, none, mixed × segments agencies, shops, none.
  // report: agencies alone, and the free plan allows digest alone. desk: plan growth alone.
  // pair and trio: not on free. setup: plan growth alone.
  const product = (kind: string, id: string, plans: string[], segments: string[]) =>
    plans.flatMap((plan) => segments.map((segment) => `${kind} ${id} ${plan} ${segment}`));
  const everySegment = ['agencies', 'shops', 'none'];
  expect(allowed).toEqual([
    ...product('package', 'digest', ['free', 'growth', 'none', 'mixed'], everySegment),
    ...product('package', 'report', ['growth', 'none', 'mixed'], ['agencies']),
    ...product('package', 'desk', ['growth'], everySegment),
    ...product('addon', 'setup', ['growth'], everySegment),
    ...product('bundle', 'pair', ['growth', 'none', 'mixed'], everySegment),
    ...product('bundle', 'trio', ['growth', 'none', 'mixed'], everySegment),
  ]);
});

test('allowances and overage keep their decimals as text', () => {
  expect(rowsOf('catalog_allowances')).toEqual([
    {
      scope_kind: 'plan',
      scope_id: 'free',
      meter_id: 'ai_operations',
      quantity: '100',
      per: 'month',
      is_per_seat: false,
      is_unlimited: false,
      is_assumed: false,
    },
    {
      scope_kind: 'plan',
      scope_id: 'growth',
      meter_id: 'ai_operations',
      quantity: '10000',
      per: 'period',
      is_per_seat: false,
      is_unlimited: false,
      is_assumed: false,
    },
  ]);
  expect(rowsOf('catalog_overage_prices')).toEqual([
    {
      scope_kind: 'plan',
      scope_id: 'growth',
      meter_id: 'ai_operations',
      model: 'per_block',
      unit_rate: '0.10',
      block_size: '1000',
      currency: 'USD',
      is_assumed: false,
    },
  ]);
});

test('an overage in two currencies is two rows; a tiered one has its tiers apart', () => {
  const priced = {
    model: 'per_unit',
    amount: '0.000004',
    currency: 'USD',
    otherCurrencies: [{ amount: '0.0000037', currency: 'EUR', assumed: true }],
  };
  const twice = exampleWith(['plans', 'growth', 'overage', 'ai_operations'], priced);
  expect(rowsOf('catalog_overage_prices', twice)).toMatchObject([
    { unit_rate: '0.000004', currency: 'USD', block_size: null, is_assumed: false },
    { unit_rate: '0.0000037', currency: 'EUR', block_size: null, is_assumed: true },
  ]);
  const graduated = {
    model: 'graduated',
    currency: 'USD',
    tiers: [
      { upTo: '500', amount: '0.25' },
      { amount: '0.4', flat: '10' },
    ],
  };
  const tiered = exampleWith(['plans', 'growth', 'overage', 'ai_operations'], graduated);
  expect(rowsOf('catalog_overage_prices', tiered)).toMatchObject([{ model: 'graduated', unit_rate: null }]);
  expect(rowsOf('catalog_overage_tiers', tiered)).toMatchObject([
    { tier: 1, up_to: '500', unit_rate: '0.25', flat: null },
    { tier: 2, up_to: null, unit_rate: '0.4', flat: '10' },
  ]);
});

test('a phase becomes days counted from the launch, clamped to the end of a month', () => {
  // Launched on 31 January 2025; month 1 to 6 ends on 31 July (half-open).
  expect(rowsOf('catalog_targets')).toMatchObject([
    {
      target_id: 'customers',
      goal: 50n,
      unit: 'count',
      period_start: '2025-01-31',
      period_end: '2025-07-31',
    },
  ]);
  const second = exampleWith(['phases', 'launch', 'months'], { from: 2 });
  expect(rowsOf('catalog_targets', second)).toMatchObject([{ period_start: '2025-02-28', period_end: null }]);
  const own = exampleWith(['targets', 'customers', 'period'], { from: '2026-01-01' });
  expect(rowsOf('catalog_targets', own)).toMatchObject([{ period_start: '2026-01-01', period_end: null }]);
});

test('goals are in the unit of their metric', () => {
  const goalOf = (metric: string, goal: unknown) => {
    const target = { ...exampleDocument().targets.customers, metric, goal };
    return rowsOf('catalog_targets', exampleWith(['targets', 'customers'], target))[0];
  };
  expect(goalOf('nrr_t12', { percent: '110' })).toMatchObject({
    goal: 1_100_000n,
    unit: 'ppm',
    currency: null,
  });
  expect(goalOf('arr', { money: '2500000', currency: 'USD' })).toMatchObject({
    goal: 250_000_000n,
    unit: 'minor',
    currency: 'USD',
  });
  expect(goalOf('median_seconds_to_first_value', { minutes: 15 })).toMatchObject({
    goal: 900n,
    unit: 'seconds',
  });
  expect(goalOf('sales_cycle_days', { days: 90 })).toMatchObject({ goal: 90n, unit: 'days' });
});

test('a score rule of several values is a row for each', () => {
  expect(rowsOf('catalog_score_rules')).toEqual([
    {
      rule_id: 'industry:marketing',
      part: 'fit',
      feature: 'industry',
      operator: 'eq',
      field: 'company.industry',
      value: 'marketing',
      points: 30n,
      max_points: null,
    },
    {
      rule_id: 'industry:media',
      part: 'fit',
      feature: 'industry',
      operator: 'eq',
      field: 'company.industry',
      value: 'media',
      points: 30n,
      max_points: null,
    },
    {
      rule_id: 'demo',
      part: 'engagement',
      feature: 'demos',
      operator: 'activity',
      field: 'demo_request',
      value: null,
      points: 25n,
      max_points: 25n,
    },
  ]);
  expect(rowsOf('catalog_score_grades')).toHaveLength(8);
});

test('a program takes the zone of the catalog, a rule its window', () => {
  expect(rowsOf('catalog_programs')).toMatchObject([
    {
      program_id: 'affiliates',
      zone: 'Europe/Berlin',
      attribution: 'last',
      attribution_window_days: 60n,
      hold_days: 30n,
      hold_months: null,
      payout_day: 15,
    },
  ]);
  expect(rowsOf('catalog_commission_rules')).toMatchObject([
    {
      rule_id: 'first_year',
      rule_version: 1,
      precedence: 100,
      rule_kind: 'percent',
      rate_ppm: 100_000n,
      window_kind: 'first_months',
      window_months: 12,
      anchor: 'first_payment',
      product_id: null,
      partner_id: null,
      tier: null,
    },
  ]);
});

test('what the plan leaves open is marked wherever it goes: owners, windows, holds, attribution, discounts, scorecards', () => {
  const marks = (name: CatalogTableName, document?: unknown) =>
    rowsOf(name, document).map((row) =>
      Object.entries(row).flatMap(([column, value]) =>
        column.endsWith('_assumed') && value === true ? [column] : [],
      ),
    );
  const assumed = { assumed: true };
  const program = exampleDocument().programs.affiliates;
  const rule = program.rules.first_year;
  const inProgram = (more: object) => exampleWith(['programs', 'affiliates'], { ...program, ...more });

  expect(marks('catalog_targets')).toEqual([[]]);
  const accountable = { owner: 'Sales', cadence: 'weekly', ...assumed };
  expect(marks('catalog_targets', exampleWith(['targets', 'customers', 'accountable'], accountable))).toEqual(
    [['is_owner_assumed']],
  );
  const line = { label: 'Mix', metrics: ['revenue_share'], owner: 'Finance', cadence: ['monthly'] };
  expect(
    marks('catalog_accountability', exampleWith(['accountability'], [line, { ...line, ...assumed }])),
  ).toEqual([[], ['is_assumed']]);

  expect(marks('catalog_programs')).toEqual([[]]);
  expect(
    marks(
      'catalog_programs',
      inProgram({
        attribution: { ...program.attribution, ...assumed },
        hold: { days: 30, ...assumed },
        payout: { minimum: { amount: '50.00', currency: 'USD', ...assumed } },
      }),
    ),
  ).toEqual([['is_attribution_assumed', 'is_hold_assumed', 'is_payout_assumed']]);
  const window = { ...rule.window, ...assumed };
  expect(
    marks('catalog_commission_rules', inProgram({ rules: { first_year: { ...rule, window } } })),
  ).toEqual([['is_window_assumed']]);
  const fee = { kind: 'flat', flat: { amount: '500.00', currency: 'USD', ...assumed }, window: rule.window };
  expect(marks('catalog_commission_rules', inProgram({ rules: { fee } }))).toEqual([['is_assumed']]);

  const discounts = { annual: { percent: '10', ...assumed } };
  expect(marks('catalog_plans', exampleWith(['plans', 'growth', 'discounts'], discounts))).toEqual([
    [],
    ['is_annual_discount_assumed'],
  ]);
  const discount = { percent: '25', ...assumed };
  expect(marks('catalog_bundles', exampleWith(['bundles', 'pair', 'discount'], discount))[0]).toEqual([
    'is_assumed',
    'is_discount_assumed',
  ]);
  const within = { minutes: 15, ...assumed };
  expect(
    marks('catalog_packages', exampleWith(['packages', 'digest', 'firstValue', 'within'], within))[0],
  ).toEqual(['is_target_assumed']);

  expect(marks('catalog_score_model')).toEqual([[]]);
  expect(marks('catalog_score_model', exampleWith(['leadScore', 'assumed'], true))).toEqual([['is_assumed']]);
  expect(
    marks('catalog_score_model', exampleWith(['leadScore', 'fit', 'industry', 'assumed'], true)),
  ).toEqual([['is_assumed']]);
});
