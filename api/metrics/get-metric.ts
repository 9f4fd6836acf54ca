import { z } from '@hono/zod-openapi';
import { metricNamed } from '../../transforms/metric-registry.js';
import { metricValues } from '../../transforms/metric-values.js';
import { operation } from '../operation.js';
import { DateArgument, Digits, InstantAnswer, InstantArgument, Limit } from '../shapes.js';
import { metricShape, MetricShape } from './metric-shape.js';

const Value = z.object({
  period: z.string().nullable(),
  currency: z.string().nullable(),
  dimensions: z.record(z.string(), z.string()),
  value: Digits.nullable(),
  numerator: Digits.nullable(),
  denominator: Digits.nullable(),
  is_complete: z.boolean().nullable(),
});

export const getMetric = operation({
  method: 'get',
  path: '/v1/metrics/{name}',
  scope: 'metrics:read',
  tag: 'Metrics',
  summary: 'The values of a metric, with both sides of each ratio and the run they come from',
  description:
    'Integers in the unit of the metric, as digits; `value` is null where the definition says so (a median before one half is reached).',
  params: z.object({ name: z.string().max(80) }),
  query: z.object({
    from: DateArgument.optional(),
    to: DateArgument.optional(),
    grain: z.enum(['month', 'week', 'none']).optional(),
    by: z.string().max(40).optional(),
    where: z.record(z.string().max(40), z.string().max(200)).optional(),
    currency: z.string().max(20).optional(),
    as_of: InstantArgument.optional(),
    limit: Limit(10_000, 1_000),
  }),
  answer: z.object({
    metric: MetricShape,
    run_id: z.string(),
    as_of: InstantAnswer,
    values: z.array(Value),
  }),
  problems: ['unknown_metric', 'unknown_dimension', 'no_run', 'no_run_as_of'],

  async handle({ params, query }, { services }) {
    const metric = metricNamed(params.name, query.grain);
    return services.runs.withRun({ asOf: query.as_of }, async ({ run, reader }) => {
      const values = await metricValues(metric, query, reader);
      return {
        metric: metricShape(metric),
        run_id: run.runId,
        as_of: run.asOf,
        values: values.map(({ isComplete, ...value }) => ({ ...value, is_complete: isComplete })),
      };
    });
  },
});
