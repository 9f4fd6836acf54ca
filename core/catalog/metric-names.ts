/** Units that a metric's value comes in. Ratios are parts per million; money is minor units of a currency. */
export type MetricUnit = 'minor' | 'ppm' | 'count' | 'seconds' | 'milliseconds' | 'days' | 'points';

/**
 * Every metric that a catalog may name in a target or in its accountability table, and its unit. More than the registry in
 * transforms/ has numbers for: a plan also holds people to what nothing measures yet (such a target says `no data`). Where the
 * registry has the metric, perhaps under another name (transforms/target-question.ts), the units agree; a test holds them to it.
 */
export const METRIC_UNITS = {
  // revenue
  mrr: 'minor',
  arr: 'minor',
  mrr_growth: 'ppm',
  nrr_t12: 'ppm',
  grr_t12: 'ppm',
  logo_churn: 'ppm',
  arpa: 'minor',
  arpa_growth: 'ppm',
  arr_per_customer: 'minor',
  revenue: 'minor',
  revenue_share: 'ppm',
  customers: 'count',
  customer_growth: 'ppm',
  gross_margin: 'ppm',
  contract_value: 'minor',
  contract_months: 'count',
  // acquisition
  cac: 'minor',
  ltv: 'minor',
  ltv_cac: 'ppm',
  payback_months: 'ppm',
  free_users: 'count',
  signups: 'count',
  trials: 'count',
  free_to_paid: 'ppm',
  trial_conversion: 'ppm',
  // product
  design_partners: 'count',
  activation: 'ppm',
  median_seconds_to_first_value: 'seconds',
  median_seconds_to_activation: 'seconds',
  install_survival_30d: 'ppm',
  attach_rate: 'ppm',
  attach_rate_growth: 'ppm',
  item_attach: 'ppm',
  lighthouse_packages_active: 'count',
  proven_packages: 'count',
  intervention_rate: 'ppm',
  mau: 'count',
  mau_growth: 'ppm',
  // sales
  leads: 'count',
  sqls: 'count',
  lead_to_customer: 'ppm',
  pipeline_value: 'minor',
  deal_size: 'minor',
  sales_cycle_days: 'days',
  win_rate: 'ppm',
  target_accounts: 'count',
  // partners and ecosystem
  partners: 'count',
  workspaces_provisioned: 'count',
  workspace_retention: 'ppm',
  partner_sourced_revenue: 'minor',
  partner_share_of_new_orgs: 'ppm',
  referral_conversion: 'ppm',
  partner_satisfaction: 'points',
  payout_accuracy: 'ppm',
  marketplace_gmv: 'minor',
  marketplace_take: 'minor',
  listings: 'count',
  // satisfaction and measurements from outside
  nps: 'points',
  uptime: 'ppm',
  response_time: 'milliseconds',
  conversations_per_second: 'count',
  resolution_time: 'seconds',
} as const satisfies Record<string, MetricUnit>;

export type MetricName = keyof typeof METRIC_UNITS;

export function isMetricName(name: string): name is MetricName {
  return Object.hasOwn(METRIC_UNITS, name);
}

export const METRIC_NAMES: readonly MetricName[] = Object.keys(METRIC_UNITS).filter(isMetricName);

/** Ratios that people do not read as a share, but as so many per one, or (money to money a month) as so many months: in parts per million like any other. */
export const READ_AS: ReadonlyMap<string, 'per one' | 'months'> = new Map([
  ['attach_rate', 'per one'],
  ['quick_ratio', 'per one'],
  ['ltv_cac', 'per one'],
  ['payback_months', 'months'],
]);

/** How people write what a goal is compared by. */
export const COMPARATOR_SIGNS: ReadonlyMap<string, string> = new Map([
  ['gte', '≥'],
  ['lte', '≤'],
  ['near', '≈'],
]);
