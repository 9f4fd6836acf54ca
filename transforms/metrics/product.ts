import type { Metric } from '../metric.js';

const attach = {
  grain: 'month',
  dimensions: ['segment', 'plan', 'channel', 'partner', 'country', 'motion'],
  breakdown: 'member',
  persona: 'product',
  owner: 'growth',
  cadence: 'monthly',
  mart: 'attach_months',
  period: 'month',
  hasCompleteness: true,
} as const satisfies Partial<Metric>;

const firstValue = {
  grain: 'none',
  dimensions: ['package_id', 'plan_id', 'channel', 'install_month'],
  breakdown: 'rollup',
  persona: 'product',
  owner: 'product',
  cadence: 'weekly',
  mart: 'first_value_summary',
} as const satisfies Partial<Metric>;

/** Products without packages: the clock of a whole org. */
const activation = {
  ...firstValue,
  dimensions: ['plan_id', 'channel', 'install_month'],
  filters: { package_id: '(org)' },
} as const satisfies Partial<Metric>;

const packageWeek = {
  grain: 'week',
  dimensions: ['package_id'],
  persona: 'product',
  owner: 'product',
  cadence: 'weekly',
  mart: 'package_weeks',
  period: 'week',
  hasCompleteness: true,
} as const satisfies Partial<Metric>;

/** Whether people take the product up: how much of it, how soon it gives them something, how well it runs. */
export const productMetrics: readonly Metric[] = [
  {
    ...attach,
    name: 'attach_rate',
    title: 'Installs per active org',
    definition:
      "Open installs of active orgs divided by active orgs, at the month's close; an org is active that pays, is on trial or had an execution in the last 30 days.",
    unit: 'ppm',
    value: 'packages_per_org_ppm',
    numerator: 'active_installs',
    denominator: 'active_orgs',
    drill: 'attach',
  },
  {
    ...attach,
    name: 'active_orgs',
    title: 'Active orgs',
    definition: "Orgs that at the month's close pay, are on trial or had an execution in the last 30 days.",
    unit: 'count',
    value: 'active_orgs',
    drill: 'active_orgs',
  },
  {
    ...attach,
    name: 'active_installs',
    title: 'Open installs of active orgs',
    definition:
      "Installs of active orgs that were not uninstalled by the month's close; several installs of one package are several.",
    unit: 'count',
    value: 'active_installs',
    drill: 'active_installs',
  },
  {
    ...attach,
    name: 'item_attach',
    title: 'Attach by item',
    definition:
      'Active orgs that hold the package, add-on or bundle divided by the active orgs whose plan and segment allow it, from its publish date on.',
    unit: 'ppm',
    dimensions: ['item_kind', 'item_id'],
    breakdown: 'columns',
    mart: 'attach_packages',
    value: 'attach_ppm',
    numerator: 'attached_orgs',
    denominator: 'eligible_orgs',
    drill: 'attach_package',
  },
  {
    ...firstValue,
    name: 'median_seconds_to_first_value',
    title: 'Median time from install to first value',
    definition:
      'Seconds until half of all installs had given a first value, those that never did counted too and uninstalling first taken as competing; empty until half have.',
    unit: 'seconds',
    value: 'median_seconds',
    drill: 'first_value',
  },
  {
    ...firstValue,
    name: 'p75_seconds_to_first_value',
    title: 'Three quarters reach a first value within',
    definition:
      'Seconds until three quarters of all installs had given a first value; empty until they have.',
    unit: 'seconds',
    value: 'p75_seconds',
    drill: 'first_value',
  },
  {
    ...firstValue,
    name: 'reached_15m',
    title: 'First value within 15 minutes',
    definition:
      'Installs that gave a first value within 15 minutes divided by the installs that are at least 15 minutes old.',
    unit: 'ppm',
    value: 'reached_15m_ppm',
    numerator: 'reached_15m',
    denominator: 'installs_15m',
    drill: 'first_value_15m',
  },
  {
    ...activation,
    name: 'median_seconds_to_activation',
    title: 'Median time from signup to activation',
    definition:
      'Seconds until half of all orgs that signed up were activated, those that never were counted too; empty until half are.',
    unit: 'seconds',
    value: 'median_seconds',
    drill: 'first_value',
  },
  {
    ...activation,
    name: 'activation',
    title: 'Activation',
    definition: 'Orgs that were activated so far divided by orgs that signed up.',
    unit: 'ppm',
    value: 'reached_ppm',
    numerator: 'reached',
    denominator: 'installs',
    drill: 'first_value_reached',
  },
  {
    ...packageWeek,
    name: 'package_executions',
    title: 'Executions',
    definition: "A package's executions that ended in the week: completed, failed or canceled.",
    unit: 'count',
    value: 'executions',
    drill: 'package_week',
  },
  {
    ...packageWeek,
    name: 'completion_rate',
    title: 'Completion rate',
    definition:
      'Executions that completed divided by those that completed or failed, by the week they ended in.',
    unit: 'ppm',
    value: 'completion_ppm',
    numerator: 'completed',
    denominator: 'completions_or_failures',
    drill: 'package_week_completion',
  },
  {
    ...packageWeek,
    name: 'intervention_rate',
    title: 'Human intervention rate',
    definition:
      'Executions in which a human had to step in divided by those that completed or failed, by the week they ended in.',
    unit: 'ppm',
    value: 'intervention_ppm',
    numerator: 'interventions',
    denominator: 'completions_or_failures',
    drill: 'package_week_intervention',
  },
];
