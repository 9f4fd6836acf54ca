import { z } from '@hono/zod-openapi';
import { drill, DrillRow } from '../../transforms/drill.js';
import { takeAndAddUp } from '../../transforms/drill-totals.js';
import { metricNamed } from '../../transforms/metric-registry.js';
import { operation } from '../operation.js';
import { InstantAnswer, InstantArgument, Limit } from '../shapes.js';

export const drillMetric = operation({
  method: 'get',
  path: '/v1/metrics/{name}/drill',
  scope: 'metrics:read',
  tag: 'Metrics',
  summary: 'The events behind one number; the amounts of each side add up to that side exactly',
  description:
    'Takes the place of the number as query parameters (month, currency, org_id, dimension, member …); an error names those a metric takes. ' +
    '`sides` always covers every row; `rows` are the first `limit`. Two answers with one `digest` have the same input set, in any order.',
  params: z.object({ name: z.string().max(80) }),
  query: z
    .object({ as_of: InstantArgument.optional(), limit: Limit(100_000, 1_000) })
    .catchall(z.string().max(200)),
  answer: z.object({
    metric: z.string(),
    run_id: z.string(),
    as_of: InstantAnswer,
    sides: z.record(z.string(), z.object({ sum: z.string(), rows: z.int(), digest: z.string() })),
    rows: z.array(DrillRow),
    is_complete: z.boolean(),
  }),
  problems: ['unknown_metric', 'unknown_dimension', 'no_run', 'no_run_as_of'],

  async handle({ params, query }, { services }) {
    const { as_of: asOf, limit, ...question } = query;
    const metric = metricNamed(params.name);
    return services.runs.withRun({ asOf }, async ({ run, reader }) => {
      const { rows, sides, rowCount } = await takeAndAddUp(drill(metric, question, reader), limit);
      return {
        metric: metric.name,
        run_id: run.runId,
        as_of: run.asOf,
        sides,
        rows,
        is_complete: rows.length === rowCount,
      };
    });
  },
});
