import { expect, test } from 'vitest';
import { metricNamed } from '../../transforms/metric-registry.js';
import { METRICS } from './metric-reads.js';

test('the benchmark of reads asks for metrics that there are', () => {
  expect(METRICS.map((name) => metricNamed(name).name)).toEqual(METRICS);
});
