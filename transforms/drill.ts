import { z } from 'zod';
import { STREAMS } from '../core/raw-event.js';
import type { RunReader } from '../platform/warehouse/warehouse.js';
import { drillPlace, type DrillQuestion } from './drill-question.js';
import type { Metric } from './metric.js';
import { renderSql, type NamedRun } from './sql-template.js';

/**
 * One row behind a number: an event, and what it puts into one side. The amounts of a side sum to that side of the number,
 * exactly; an event that only explains (the start of a subscription behind a later price) puts in 0.
 */
export const DrillRow = z.object({
  side: z.enum(['value', 'numerator', 'denominator', 'open', 'close', 'input']),
  org_id: z.string().nullable(),
  stream: z.enum(STREAMS),
  event_source: z.string(),
  event_id: z.string(),
  at: z.string(),
  /** Digits, in the metric's unit; a decimal where quantities are. */
  amount: z.union([z.bigint(), z.number().int(), z.string()]).transform(String),
  detail: z.string().nullable(),
});
export type DrillRow = z.output<typeof DrillRow>;

/** The parameters that a metric's drill takes: those of its SQL that the metric does not fix itself. */
export function drillParameters(metric: Metric, run: NamedRun): readonly string[] {
  const { parameters } = renderSql(['transforms', 'drill', `${metric.drill}.sql`], { run });
  return [...parameters.keys()].filter((name) => metric.filters?.[name] === undefined);
}

/**
 * The rows behind one number of a metric, streamed in a stable order.
 *
 * @throws InputError `invalid_argument`, `unknown_dimension` when the question is of no number, before anything is read
 */
export async function* drill(
  metric: Metric,
  question: DrillQuestion,
  run: RunReader,
): AsyncIterable<DrillRow[]> {
  const { sql, parameters } = renderSql(['transforms', 'drill', `${metric.drill}.sql`], {
    run,
  });
  const bound = drillPlace(metric, question, parameters);
  yield* run.stream(
    `select * from (${sql}) as drilled order by side, org_id, drilled.at, event_source, event_id, amount, detail`,
    bound,
    DrillRow,
  );
}
