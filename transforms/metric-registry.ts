import { isMetricName } from '../core/catalog/metric-names.js';
import { InputError } from '../core/errors.js';
import { didYouMean } from '../core/suggest.js';
import type { Metric, MetricGrain } from './metric.js';
import { partnerMetrics } from './metrics/partners.js';
import { productMetrics } from './metrics/product.js';
import { revenueMetrics } from './metrics/revenue.js';
import { salesMetrics } from './metrics/sales.js';
import { unitEconomicsMetrics } from './metrics/unit-economics.js';
import { registryName } from './target-question.js';

/** Every number that people may ask for, in the order in which documents list them. */
export const metrics: readonly Metric[] = [
  ...revenueMetrics,
  ...productMetrics,
  ...unitEconomicsMetrics,
  ...salesMetrics,
  ...partnerMetrics,
];

const byName = new Map(metrics.map((metric) => [metric.name, metric]));

/**
 * The metric of that name: the registry's, or the one that catalogs call it by in targets.
 *
 * @throws InputError `unknown_metric` (404), with the nearest name, or when the metric has another grain
 */
export function metricNamed(name: string, grain?: MetricGrain): Metric {
  const metric = byName.get(registryName(name));
  if (metric === undefined) throw new InputError('unknown_metric', unknownMetric(name), { status: 404 });
  if (grain !== undefined && grain !== metric.grain) {
    throw new InputError('invalid_argument', `metric ${name} has the grain ${metric.grain}, not ${grain}`);
  }
  return metric;
}

function unknownMetric(name: string): string {
  if (isMetricName(name)) {
    return `metric "${name}" stands in targets only; headgate targets --metric ${name} shows it against its goal`;
  }
  const suggestion = didYouMean(name, byName.keys());
  return `there is no metric "${name}"${suggestion === '' ? ';' : suggestion} headgate metrics lists all`;
}
