import type { Metric } from '../metric.js';

/** What partners earned, line by line; a statement adds them up. */
export const partnerMetrics: readonly Metric[] = [
  {
    name: 'commission',
    title: 'Commission line',
    definition:
      "A partner's share of the cash kept on one invoice line, less what it earned already: one line per payment, refund or lost dispute.",
    unit: 'minor',
    grain: 'month',
    dimensions: ['line_id', 'partner_id', 'program_id', 'org_id', 'kind', 'status'],
    persona: 'finance',
    owner: 'finance',
    cadence: 'monthly',
    mart: 'commission_lines',
    value: 'amount_minor',
    period: 'month',
    currency: 'currency',
    drill: 'commission',
  },
];
