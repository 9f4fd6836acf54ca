import type { Metric } from '../metric.js';

/** Who is worth a call, and why. */
export const salesMetrics: readonly Metric[] = [
  {
    name: 'lead_score',
    title: 'Lead score',
    definition:
      'Points for what a lead and its company are plus points for what it did, halved with every half-life since, by the scorecard in force.',
    unit: 'points',
    grain: 'none',
    dimensions: ['lead_id', 'owner_id', 'grade', 'band', 'lead_source', 'channel'],
    persona: 'sales',
    owner: 'sales',
    cadence: 'weekly',
    mart: 'lead_scores',
    value: 'score',
    drill: 'lead_score',
  },
];
