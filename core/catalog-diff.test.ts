import { expect, test } from 'vitest';
import { parseCatalog, type Catalog } from './catalog.js';
import { diffCatalogs } from './catalog-diff.js';
import { exampleDocument, exampleWith } from './catalog/catalog-example.js';

function catalogOf(document: unknown): Catalog {
  const result = parseCatalog(document);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.catalog;
}

const before = catalogOf(exampleDocument());
const changesTo = (path: readonly string[], value: unknown, holders?: ReadonlyMap<string, number>) =>
  diffCatalogs(before, catalogOf(exampleWith(path, value)), holders);

test('the same catalog has no difference', () => {
  expect(diffCatalogs(before, catalogOf(exampleDocument()))).toEqual([]);
});

test('a price that rises is for new subscriptions, and says how many hold the plan', () => {
  expect(changesTo(['plans', 'growth', 'price', 'amount'], '119.00', new Map([['growth', 12]]))).toEqual([
    {
      kind: 'changed',
      section: 'plans',
      id: 'growth',
      field: 'price.amount',
      before: '$99.00',
      after: '$119.00',
      effect: 'new_subscriptions',
      meaning: 'rises for new subscriptions; existing subscriptions keep what they were sold',
      holders: 12,
    },
  ]);
});

test('an allowance that falls says so', () => {
  expect(changesTo(['plans', 'growth', 'allowances', 'ai_operations', 'quantity'], '9000')).toMatchObject([
    {
      field: 'allowances.ai_operations.quantity',
      before: '10000',
      after: '9000',
      effect: 'new_subscriptions',
      meaning: 'included usage falls for new subscriptions; existing subscriptions keep what they were sold',
      holders: null,
    },
  ]);
});

test('overage, limits, features and programs each say whom they reach', () => {
  expect(changesTo(['plans', 'growth', 'overage', 'ai_operations', 'amount'], '0.09')).toMatchObject([
    {
      before: '0.10',
      after: '0.09',
      effect: 'new_subscriptions',
      meaning: expect.stringContaining('overage falls') as string,
    },
  ]);
  const minimumCommitment = { amount: '500.00', currency: 'USD' };
  expect(changesTo(['plans', 'growth', 'minimumCommitment'], minimumCommitment)).toContainEqual(
    expect.objectContaining({
      field: 'minimumCommitment.amount',
      after: '$500.00',
      effect: 'new_subscriptions',
      meaning: expect.stringContaining('billed periods stay as billed') as string,
    }),
  );
  expect(changesTo(['plans', 'growth', 'discountsCoverOverage'], true)).toMatchObject([
    { field: 'discountsCoverOverage', before: 'false', after: 'true', effect: 'new_subscriptions' },
  ]);
  expect(changesTo(['plans', 'growth', 'limits'], { concurrency: { count: 5 } })).toMatchObject([
    { kind: 'added', field: 'limits.concurrency.count', effect: 'new_subscriptions' },
    { kind: 'added', field: 'limits.concurrency.assumed' },
  ]);
  expect(changesTo(['meters', 'ai_operations', 'lateUsage'], 'report')).toMatchObject([
    { before: 'credit_note', after: 'report', effect: 'existing_customers' },
  ]);
  expect(changesTo(['plans', 'growth', 'features', 'exports'], false)).toMatchObject([
    { before: 'true', after: 'false', effect: 'new_subscriptions' },
  ]);
  expect(changesTo(['programs', 'affiliates', 'rules', 'first_year', 'percent'], '12.5')).toMatchObject([
    {
      before: '10%',
      after: '12.5%',
      effect: 'partners',
      meaning: expect.stringContaining('keep their rate') as string,
    },
  ]);
});

test('a plan that goes stays with those who have it; one that comes can be bought', () => {
  const { growth } = exampleDocument().plans;
  expect(changesTo(['plans'], { growth }, new Map([['free', 40]]))).toMatchObject([
    { kind: 'removed', section: 'plans', id: 'free', effect: 'existing_customers', holders: 40 },
  ]);
  const more = { ...exampleDocument().addons.setup, name: 'Training', kind: 'training' };
  expect(changesTo(['addons', 'training'], more, new Map([['free', 40]]))).toMatchObject([
    { kind: 'added', section: 'addons', id: 'training', effect: 'new_subscriptions', holders: 0 },
  ]);
});

test('targets and scores touch reports and scores alone', () => {
  expect(changesTo(['targets', 'customers', 'goal', 'count'], 60)).toMatchObject([
    { field: 'goal.value', before: '50', after: '60', effect: 'reports', holders: null },
  ]);
  expect(changesTo(['leadScore', 'halfLifeDays'], 30)).toMatchObject([
    { section: 'catalog', field: 'leadScore.halfLifeDays', effect: 'scores' },
  ]);
  expect(changesTo(['name'], 'Acme Inc')).toMatchObject([{ field: 'name', effect: 'nobody' }]);
});
