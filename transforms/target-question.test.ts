import { expect, test } from 'vitest';
import type { NamedRun } from './sql-template.js';
import { drillParameters } from './drill.js';
import { METRIC_NAMES, METRIC_UNITS } from '../core/catalog/metric-names.js';
import { metricNamed, metrics } from './metric-registry.js';
import { catalogName, registryName, targetQuestion } from './target-question.js';

const judged = { period: '2026-09-01', dimension: 'plan', member: 'pro', actual_currency: 'reporting:USD' };
const METRICS = [
  'mrr',
  'arr',
  'mrr_growth',
  'logo_churn',
  'arpa',
  'customers',
  'nrr_t12',
  'grr_t12',
  'attach_rate',
  'median_seconds_to_first_value',
  'median_seconds_to_activation',
  'activation',
];

/** Rendering a drill needs names only. */
const run: NamedRun = {
  dialect: 'duckdb',
  relation: 'run',
  facts: (stream) => `facts_${stream}`,
  raw: (stream) => `raw_${stream}`,
};

test.each(METRICS)(
  "a target for %s is opened by its metric's drill, which takes what the question names",
  (name) => {
    const asked = targetQuestion({ ...judged, metric: name });
    expect(asked).not.toBeNull();
    if (asked === null) return;
    const metric = metricNamed(asked.metric);
    expect(Object.keys(asked.question).sort()).toEqual([...drillParameters(metric, run)].sort());
  },
);

test('a target whose actual is no single number of the registry has no drill', () => {
  expect(targetQuestion({ ...judged, metric: 'customer_growth' })).toBeNull();
  expect(targetQuestion({ ...judged, metric: 'mrr', actual_currency: null })).toBeNull();
});

test('a share of the revenue mix opens as its stream in the currency it was invoiced in, and not once it was converted', () => {
  const mix = { ...judged, metric: 'revenue_share', dimension: 'item', member: 'overage' };
  expect(targetQuestion({ ...mix, actual_currency: 'USD' })).toEqual({
    metric: 'stream_share',
    question: { month: '2026-09-01', currency: 'USD', stream: 'overage' },
  });
  expect(targetQuestion(mix)).toBeNull();
});

test('every name that catalogs use is a metric, by its own or the registry’s name, in the same unit; or says where it stands', () => {
  const named = new Set(metrics.map(({ name }) => name));
  for (const name of METRIC_NAMES) {
    if (named.has(registryName(name))) {
      expect([name, metricNamed(name).unit]).toEqual([name, METRIC_UNITS[name]]);
    } else {
      expect(() => metricNamed(name)).toThrow(`headgate targets --metric ${name}`);
    }
  }
});

test.each([
  ['nrr_t12', 'nrr'],
  ['grr_t12', 'grr'],
  ['revenue_share', 'stream_share'],
])('%s of a catalog is %s of the registry, and back', (catalog, registry) => {
  expect(metricNamed(catalog)).toBe(metricNamed(registry));
  expect(catalogName(registry)).toBe(catalog);
  expect(catalogName(catalog)).toBe(catalog);
});

test('a name that neither knows is answered with the nearest', () => {
  expect(() => metricNamed('nrrr')).toThrow('did you mean "nrr"?');
});
