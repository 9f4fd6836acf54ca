import { describe, expect, test } from 'vitest';
import { CATALOG_TABLES, catalogTables } from '../../../core/catalog-tables.js';
import { planOf } from './plan.js';

describe.each(['fleetprompt', 'frontier', 'chatbot', 'nexus'])('%s', (name) => {
  test('loads, bills in dollars and euros, reports in dollars, asks for a support of 20', async () => {
    expect(await planOf(name)).toMatchObject({
      catalog: name,
      currencies: ['USD', 'EUR'],
      reportingCurrency: 'USD',
      minSupport: 20,
    });
  });

  test('has segments with an ideal customer, channels, a scorecard, programs, phases, targets and personal keys', async () => {
    const plan = await planOf(name);
    expect(Object.values(plan.segments).some(({ idealCustomer }) => idealCustomer)).toBe(true);
    expect(plan.leadScore?.assumed).toBe(true);
    expect(plan.personal.attributes.length).toBeGreaterThan(0);
    for (const section of [
      'channels',
      'programs',
      'phases',
      'targets',
      'meters',
      'plans',
      'addons',
      'features',
    ] as const) {
      expect(Object.keys(plan[section]).length, section).toBeGreaterThan(0);
    }
  });

  test('every price has a euro price, marked assumed unless it is nothing', async () => {
    const { plans, packages, addons } = await planOf(name);
    for (const [id, { price }] of Object.entries({ ...plans, ...packages, ...addons })) {
      const euro = price.otherCurrencies.find(({ currency }) => currency === 'EUR');
      expect(euro, id).toBeDefined();
      if (price.amountMinor > 0n) expect(euro?.assumed, id).toBe(true);
    }
  });

  test('somebody answers for every target, the mix of revenue included', async () => {
    const { targets, revenueMix, accountability } = await planOf(name);
    expect(Object.values(targets).filter(({ accountable: { owner } }) => owner === '')).toEqual([]);
    const answeredFor = accountability.flatMap(({ metrics }) => metrics);
    const shared = answeredFor.filter((metric) => metric === 'revenue_share' || metric === 'revenue');
    expect(revenueMix === undefined || shared.length > 0).toBe(true);
  });

  test('becomes tables whose ids are unique', async () => {
    const catalog = await planOf(name);
    const tables = catalogTables([{ version: 1n, catalog, effectiveFrom: null, effectiveTo: null }]);
    expect(Object.keys(tables)).toEqual(Object.keys(CATALOG_TABLES));
    for (const [table, { rows }] of Object.entries(tables)) {
      const keys = rows.map((row) =>
        JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)),
      );
      expect(new Set(keys).size, table).toBe(keys.length);
    }
  });
});
