import { expect, test } from 'vitest';
import type { RunReader } from '../platform/warehouse/warehouse.js';
import { drillParameters } from './drill.js';
import { metricNamed } from './metric-registry.js';
import { targetQuestion } from './target-question.js';

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
];

/** Rendering a drill needs names only. */
const run: Pick<RunReader, 'relation' | 'facts' | 'raw'> = {
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
    const fixed = Object.keys(metric.filters ?? {});
    const parameters = drillParameters(metric, run as RunReader);
    expect(parameters).toEqual(expect.arrayContaining(Object.keys(asked.question)));
    expect([...Object.keys(asked.question), ...fixed]).toEqual(expect.arrayContaining([...parameters]));
  },
);

test('a target whose actual is no single number of the registry has no drill', () => {
  expect(targetQuestion({ ...judged, metric: 'customer_growth' })).toBeNull();
  expect(targetQuestion({ ...judged, metric: 'mrr', actual_currency: null })).toBeNull();
});
