import type { DrillQuestion } from './drill-question.js';

/** The columns of the `targets` mart that say which number a target judges. */
export interface JudgedTarget {
  readonly metric: string;
  /** First day of the month, YYYY-MM-DD. */
  readonly period: string;
  readonly dimension: string | null;
  readonly member: string | null;
  /** The currency that a metric of money is looked up in: the mart's own, or `reporting:XXX`. */
  readonly actual_currency: string | null;
}

export interface MetricQuestionOfTarget {
  /** Name in the registry. */
  readonly metric: string;
  readonly question: DrillQuestion;
}

/** Catalogs name a few metrics in the plan's words: their word, then the registry's. All others have one name. */
const REGISTRY_NAMES = new Map([
  ['nrr_t12', 'nrr'],
  ['grr_t12', 'grr'],
  ['revenue_share', 'stream_share'],
]);
const CATALOG_NAMES = new Map([...REGISTRY_NAMES].map(([catalog, registry]) => [registry, catalog]));

/** What the registry calls a metric that a catalog names. */
export function registryName(metric: string): string {
  return REGISTRY_NAMES.get(metric) ?? metric;
}

/** What catalogs, and so the `targets` mart, call a metric of the registry. */
export function catalogName(metric: string): string {
  return CATALOG_NAMES.get(metric) ?? metric;
}

/** Metrics of the registry that stand in the MRR bridge or in retention: by month, currency and member. */
const BY_MEMBER: ReadonlySet<string> = new Set([
  'mrr',
  'arr',
  'mrr_growth',
  'logo_churn',
  'arpa',
  'customers',
  'nrr',
  'grr',
]);

const CLOCK_METRICS: ReadonlySet<string> = new Set([
  'median_seconds_to_first_value',
  'median_seconds_to_activation',
  'activation',
]);

/**
 * The drill that opens a target's actual: a target has no events of its own, the metric that it judges has.
 *
 * @returns null where the actual is no single number of the registry (a growth over a year, a mean over weeks)
 */
export function targetQuestion(target: JudgedTarget): MetricQuestionOfTarget | null {
  const { period: month, actual_currency: currency } = target;
  const dimension = target.dimension ?? 'all';
  const member = target.member ?? 'all';
  const metric = registryName(target.metric);
  if (BY_MEMBER.has(metric)) {
    return currency === null ? null : { metric, question: { month, currency, dimension, member } };
  }
  if (metric === 'stream_share') {
    // Streams are invoiced in their own currencies; the share of all of them together was brought to one, and is no row's.
    const isConverted = currency === null || currency.startsWith('reporting:');
    return isConverted ? null : { metric, question: { month, currency, stream: member } };
  }
  if (metric === 'attach_rate') return { metric, question: { month, dimension, member } };
  if (CLOCK_METRICS.has(metric)) {
    const cohort = { plan_id: 'all', channel: 'all', install_month: month.slice(0, 7) };
    // Activation is always the org's own clock, and says so itself.
    const isOfPackage = metric === 'median_seconds_to_first_value';
    return { metric, question: isOfPackage ? { package_id: member, ...cohort } : cohort };
  }
  return null;
}
