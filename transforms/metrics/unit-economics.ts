import type { Metric } from '../metric.js';

const company = {
  grain: 'month',
  dimensions: [],
  persona: 'finance',
  owner: 'finance',
  cadence: 'monthly',
  mart: 'unit_economics_months',
  period: 'month',
  currency: 'currency',
  hasCompleteness: true,
} as const satisfies Partial<Metric>;

const perOrg = { ...company, mart: 'unit_economics_orgs', dimensions: ['org_id'] } as const;
const perPackage = { ...company, mart: 'unit_economics_packages', dimensions: ['package_id'] } as const;

const margin = {
  unit: 'ppm',
  value: 'margin_ppm',
  numerator: 'margin_minor',
  denominator: 'revenue_minor',
} as const satisfies Partial<Metric>;
const cost = { unit: 'micros', value: 'cost_micros' } as const satisfies Partial<Metric>;

/** What is left of revenue once executions are paid for: of the company, of each org, of each package. */
export const unitEconomicsMetrics: readonly Metric[] = [
  {
    ...company,
    ...margin,
    name: 'gross_margin',
    title: 'Gross margin',
    definition:
      'Invoice revenue of the month (spread over service periods by days) less the cost of executions, divided by that revenue.',
    drill: 'unit_economics_month',
  },
  {
    ...company,
    ...cost,
    name: 'cost',
    title: 'Cost of executions',
    definition: 'What executions cost in the month; those that ran on a key of the customer cost nothing.',
    drill: 'unit_economics_month_cost',
  },
  {
    ...company,
    name: 'negative_margin_orgs',
    title: 'Orgs sold at a loss',
    definition: 'Orgs whose executions cost more in the month than the org brought in.',
    unit: 'count',
    value: 'negative_orgs',
    drill: 'negative_margin',
  },
  {
    ...perOrg,
    ...margin,
    name: 'org_margin',
    title: 'Margin per org',
    definition: "An org's revenue of the month less the cost of its executions, divided by that revenue.",
    drill: 'unit_economics',
  },
  {
    ...perOrg,
    ...cost,
    name: 'org_cost',
    title: 'Cost per org',
    definition: "What an org's executions cost in the month, in the currency that it is billed in.",
    drill: 'unit_economics_cost',
  },
  {
    ...perPackage,
    ...margin,
    name: 'package_margin',
    title: 'Margin per package',
    definition:
      "A package's revenue of the month (its share of bundles included) less the cost of its executions, divided by that revenue.",
    drill: 'unit_economics_package',
  },
  {
    ...perPackage,
    ...cost,
    name: 'package_cost',
    title: 'Cost per package',
    definition: "What a package's executions cost in the month.",
    drill: 'unit_economics_package_cost',
  },
];
