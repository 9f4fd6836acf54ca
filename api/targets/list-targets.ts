import { z } from '@hono/zod-openapi';
import { catalogName, targetQuestion } from '../../transforms/target-question.js';
import { martPage } from '../mart-page.js';
import { operation } from '../operation.js';
import { Cursor, Digits, Flag, InstantAnswer, InstantArgument, Limit, NextCursor } from '../shapes.js';

const TargetRow = z.object({
  target_id: z.string(),
  period: z.string(),
  phase: z.string().nullable(),
  metric: z.string(),
  dimension: z.string().nullable(),
  member: z.string().nullable(),
  owner: z.string().nullable(),
  cadence: z.string().nullable(),
  comparator: z.string(),
  goal: Digits.nullable(),
  actual: Digits.nullable(),
  gap: Digits.nullable(),
  trend: Digits.nullable(),
  status: z.enum(['ahead', 'on track', 'behind', 'no data']),
  unit: z.string(),
  currency: z.string().nullable(),
  period_start: z.string().nullable(),
  period_end: z.string().nullable(),
  is_assumed: z.boolean().openapi({ description: 'The plan gives no such goal; the catalog assumes it.' }),
  is_owner_assumed: z.boolean().nullable().default(null).openapi({
    description:
      'The plan names no owner and cadence; the catalog assumes them. null: the run is older than this mark',
  }),
  actual_currency: z.string().nullable().default(null).openapi({
    description: 'The currency in which `actual` was looked up, where the metric has one',
  }),
});

const Target = TargetRow.extend({
  drill: z
    .object({ metric: z.string(), question: z.record(z.string(), z.string()) })
    .nullable()
    .openapi({
      description:
        'What opens `actual`: GET /v1/metrics/{metric}/drill with `question` as its query. null: it is no single number of the registry',
    }),
}).openapi('Target');

export const listTargets = operation({
  method: 'get',
  path: '/v1/targets',
  scope: 'metrics:read',
  tag: 'Metrics',
  summary: "The catalog's targets against what happened",
  description:
    'Each target once, with the last month that is over; with `history=true` every month that it was judged on. Goals and actuals are in ' +
    'the `unit`.',
  query: z.strictObject({
    metric: z.string().max(80).optional(),
    owner: z.string().max(200).optional(),
    status: z.enum(['ahead', 'on track', 'behind', 'no data']).optional(),
    history: Flag.default(false),
    as_of: InstantArgument.optional(),
    limit: Limit(500, 100),
    cursor: Cursor.optional(),
  }),
  answer: z.object({
    run_id: z.string(),
    as_of: InstantAnswer,
    targets: z.array(Target),
    next_cursor: NextCursor,
  }),
  problems: ['invalid_cursor', 'no_run', 'no_run_as_of', 'run_not_found'],

  async handle({ query }, { services }) {
    const page = await martPage(
      services,
      {
        mart: 'targets',
        // All of them: a run may be older than a column.
        columns: '*',
        filters: [
          { condition: 'metric = $value', value: query.metric && catalogName(query.metric) },
          { condition: 'owner = $value', value: query.owner },
          { condition: 'status = $value', value: query.status },
          { condition: 'is_latest = $value', value: query.history ? undefined : true },
        ],
        order: [
          { column: 'target_id', type: 'text', direction: 'asc' },
          { column: 'period', type: 'date', direction: 'asc' },
        ],
        row: TargetRow,
        place: (target) => [target.target_id, target.period],
      },
      { asOf: query.as_of, cursor: query.cursor, limit: query.limit },
    );
    return {
      run_id: page.run.runId,
      as_of: page.run.asOf,
      targets: page.rows.map((target) => ({ ...target, drill: drillOf(target) })),
      next_cursor: page.nextCursor,
    };
  },
});

/** Where nothing was measured there is nothing to open. */
function drillOf(target: z.output<typeof TargetRow>) {
  const asked = target.actual === null ? null : targetQuestion(target);
  return asked === null ? null : { metric: asked.metric, question: { ...asked.question } };
}
