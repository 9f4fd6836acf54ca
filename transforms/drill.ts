import { z } from 'zod';
import { InputError } from '../core/errors.js';
import { STREAMS } from '../core/raw-event.js';
import type { QueryParameter, RunReader } from '../platform/warehouse/warehouse.js';
import type { Metric } from './metric.js';
import { renderSql } from './sql-template.js';

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

/** Which number: the values of the drill's parameters (month, currency, org_id …), as text. */
export type DrillQuestion = Readonly<Record<string, string>>;

/** Templates name what may be left out by a default here; everything else must be given. */
const DEFAULTS: Readonly<Record<string, string>> = { dimension: 'all', member: 'all' };

/** The parameters that a metric's drill takes. */
export function drillParameters(metric: Metric, run: RunReader): readonly string[] {
  return renderSql(['transforms', 'drill', `${metric.drill}.sql`], { run }).parameters;
}

/**
 * The rows behind one number of a metric, streamed in a stable order.
 *
 * @throws InputError `invalid_argument` when the question lacks a parameter or has one that the drill does not know
 */
export async function* drill(
  metric: Metric,
  question: DrillQuestion,
  run: RunReader,
): AsyncIterable<DrillRow[]> {
  const { sql, parameters } = renderSql(['transforms', 'drill', `${metric.drill}.sql`], {
    run,
  });
  const bound: Record<string, QueryParameter> = {};
  for (const name of parameters) {
    const value = question[name] ?? fixedValue(metric, name) ?? totalOf(metric, name) ?? DEFAULTS[name];
    if (value === undefined) {
      throw new InputError(
        'invalid_argument',
        `drill of ${metric.name} needs ${name}: it takes ${parameters.join(', ')}`,
        { details: { metric: metric.name, parameters } },
      );
    }
    bound[name] = value;
  }
  const unknown = Object.keys(question).filter((name) => !parameters.includes(name));
  if (unknown.length > 0) {
    throw new InputError(
      'invalid_argument',
      `drill of ${metric.name} does not take ${unknown.join(', ')}: it takes ${parameters.join(', ')}`,
      { details: { metric: metric.name, parameters } },
    );
  }
  yield* run.stream(
    `select * from (${sql}) as drilled order by side, org_id, drilled.at, event_source, event_id, amount`,
    bound,
    DrillRow,
  );
}

/** A metric that is one slice of a mart (window_months = 12) fixes that parameter of its drill. */
function fixedValue(metric: Metric, name: string): string | undefined {
  const value = metric.filters?.[name];
  return value === undefined ? undefined : String(value);
}

/** Where the mart carries roll-ups, a dimension that is not asked for is rolled up. */
function totalOf(metric: Metric, name: string): string | undefined {
  return metric.breakdown === 'rollup' && metric.dimensions.includes(name) ? 'all' : undefined;
}
