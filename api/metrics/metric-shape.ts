import { z } from '@hono/zod-openapi';
import type { Metric } from '../../transforms/metric.js';

/** A metric of the registry, as the API describes it. */
export const MetricShape = z
  .object({
    name: z.string(),
    title: z.string(),
    definition: z.string(),
    unit: z.enum(['minor', 'micros', 'ppm', 'count', 'seconds', 'points', 'minutes']),
    grain: z.enum(['month', 'week', 'none']),
    dimensions: z.array(z.string()),
    persona: z.string(),
    owner: z.string(),
    cadence: z.string(),
    mart: z.string(),
  })
  .openapi('Metric');

export function metricShape(metric: Metric): z.input<typeof MetricShape> {
  const { name, title, definition, unit, grain, persona, owner, cadence, mart } = metric;
  return {
    name,
    title,
    definition,
    unit,
    grain,
    dimensions: [...metric.dimensions],
    persona,
    owner,
    cadence,
    mart,
  };
}
