import type { DrillQuestion } from './drill.js';

/** The columns of the `targets` mart that say which number a target judges. */
export interface JudgedTarget {
  readonly metric: string;
  readonly period: string;
  readonly dimension: string;
  readonly member: string;
  /** The currency that the actual is in: the mart's own, or `reporting:XXX`. */
  readonly actual_currency: string | null;
}

/** Catalogs name metrics in the plan's words; the registry has one name for each. */
const REGISTRY_NAMES: Readonly<Record<string, string>> = {
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
export function targetQuestion(target: JudgedTarget): { metric: string; question: DrillQuestion } | null {
  const metric = REGISTRY_NAMES[target.metric];
  if (metric === undefined || target.actual_currency === null) return null;
  const { period, dimension, member, actual_currency: currency } = target;
  return { metric, question: { month: period, currency, dimension, member } };
}
