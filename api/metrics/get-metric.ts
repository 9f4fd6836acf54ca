import { z } from '@hono/zod-openapi';
import { InputError } from '../../core/errors.js';
import { formatInstant } from '../../core/time.js';
import type { Metric } from '../../transforms/metric.js';
import { metricNamed } from '../../transforms/metric-registry.js';
import { metricValues, type MetricQuestion } from '../../transforms/metric-values.js';
import type { Run } from '../../transforms/run-store.js';
import { openCursor, sealCursor } from '../cursor.js';
import { apiJson } from '../json-answer.js';
import { operation } from '../operation.js';
import { RawAnswer } from '../raw-answer.js';
import type { Services } from '../services.js';
import {
  Cursor,
  DateArgument,
  Digits,
  InstantAnswer,
  InstantArgument,
  Limit,
  NextCursor,
} from '../shapes.js';
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

const Place = z.tuple([z.string(), z.string().regex(/^\d{1,9}$/)]);

/** A filter that would change nothing is a mistake that would look like a number. */
function requireApplicable(metric: Metric, { from, to, currency }: MetricQuestion): void {
  const misplaced = [
    ...(metric.currency === undefined && currency !== undefined ? ['currency'] : []),
    ...(metric.period === undefined && from !== undefined ? ['from'] : []),
    ...(metric.period === undefined && to !== undefined ? ['to'] : []),
  ];
  if (misplaced.length === 0) return;
  throw new InputError(
    'invalid_argument',
    `metric ${metric.name} does not go by ${misplaced.join(' or ')}; leave it out`,
    { details: { metric: metric.name, parameters: misplaced } },
  );
}

/** Written by hand rather than parsed by its schema: a page holds up to ten thousand values. A test holds it to the schema. */
async function writeValues(
  metric: Metric,
  question: MetricQuestion & { readonly offset: number },
  list: string,
  run: Run,
  services: Services,
): Promise<string> {
  const { limit, offset } = question;
  const found = await services.runs.read(run, ({ reader }) =>
    metricValues(metric, { ...question, limit: limit + 1 }, reader),
  );
  const values = found.slice(0, limit);
  return apiJson({
    metric: metricShape(metric),
    run_id: run.runId,
    as_of: formatInstant(run.asOf),
    values: values.map(({ isComplete, ...value }) => ({ ...value, is_complete: isComplete })),
    next_cursor: found.length > limit ? sealCursor(list, [run.runId, String(offset + limit)]) : null,
  });
}

export const getMetric = operation({
  method: 'get',
  path: '/v1/metrics/{name}',
  scope: 'metrics:read',
  tag: 'Metrics',
  summary: 'The values of a metric, with both sides of each ratio and the run they come from',
  description:
    'Integers in the unit of the metric, as digits; `value` is null where the definition says so (a median before one half is reached). ' +
    '`where[plan]=growth` narrows to one member of a dimension. `from` is included, `to` is not.',
  params: z.object({ name: z.string().max(80) }),
  query: z.strictObject({
    from: DateArgument.optional(),
    to: DateArgument.optional(),
    grain: z.enum(['month', 'week', 'none']).optional(),
    by: z.string().max(40).optional(),
    where: z.record(z.string().max(40), z.string().max(200)).optional(),
    currency: z.string().max(20).optional(),
    as_of: InstantArgument.optional(),
    limit: Limit(10_000, 1_000),
    cursor: Cursor.optional(),
  }),
  answer: z.object({
    metric: MetricShape,
    run_id: z.string(),
    as_of: InstantAnswer,
    values: z.array(Value),
    next_cursor: NextCursor,
  }),
  problems: [
    'unknown_metric',
    'unknown_dimension',
    'invalid_cursor',
    'no_run',
    'no_run_as_of',
    'run_not_found',
  ],

  async handle({ params, query }, { services, answers }) {
    const { as_of: asOf, cursor, grain, ...question } = query;
    const metric = metricNamed(params.name, grain);
    requireApplicable(metric, question);
    const list = JSON.stringify([metric.name, { ...question, limit: 0 }, asOf?.toString() ?? null]);
    // A run never changes, so that a place in its ordered values is a number.
    const [runId, place = '0'] = cursor === undefined ? [] : openCursor(list, cursor, Place);
    const run = await services.runs.choose(runId === undefined ? { asOf } : { runId });
    const offset = Number(place);
    const content = await answers.answer(`${run.runId} ${offset} ${question.limit} ${list}`, () =>
      writeValues(metric, { ...question, offset }, list, run, services),
    );
    return new RawAnswer('application/json; charset=utf-8', content);
  },
});
