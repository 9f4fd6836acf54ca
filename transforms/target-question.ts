import type { DrillQuestion } from './drill-question.js';

/** The columns of the `targets` mart that say which number a target judges. */
export interface JudgedTarget {
  readonly metric: string;
  /** First day of the month, YYYY-MM-DD. */
  readonly period: string;
  readonly dimension: string;
  readonly member: string;
  /** The currency that a metric of money is looked up in: the mart's own, or `reporting:XXX`. */
  readonly actual_currency: string | null;
}

export interface MetricQuestionOfTarget {
  /** Name in the registry. */
  readonly metric: string;
  readonly question: DrillQuestion;
}

/** Catalogs name metrics in the plan's words; the registry has one name for each. */
const BRIDGE_METRICS: Readonly<Record<string, string>> = {
  mrr: 'mrr',
  arr: 'arr',
  mrr_growth: 'mrr_growth',
  logo_churn: 'logo_churn',
  arpa: 'arpa',
  customers: 'customers',
  nrr_t12: 'nrr',
  grr_t12: 'grr',
};

/**
 * The drill that opens a target's actual: a target has no events of its own, the metric that it judges has.
 *
 * @returns null where the actual is no single number of the registry (a growth over a year, a mean over weeks)
 */
export function targetQuestion(target: JudgedTarget): MetricQuestionOfTarget | null {
  const { metric, period: month, dimension, member, actual_currency: currency } = target;
  const bridge = BRIDGE_METRICS[metric];
  if (bridge !== undefined) {
    return currency === null ? null : { metric: bridge, question: { month, currency, dimension, member } };
  }
  if (metric === 'attach_rate') return { metric, question: { month, dimension, member } };
  if (metric === 'median_seconds_to_first_value' || metric === 'median_seconds_to_activation') {
    const packageId = metric === 'median_seconds_to_activation' ? '(org)' : member;
    const question = {
      package_id: packageId,
      plan_id: 'all',
      channel: 'all',
      install_month: month.slice(0, 7),
    };
    return { metric, question };
  }
  return null;
}
