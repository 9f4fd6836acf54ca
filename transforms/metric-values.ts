import { z } from 'zod';
import { InputError } from '../core/errors.js';
import { didYouMean } from '../core/suggest.js';
import type { QueryParameter, RunReader } from '../platform/warehouse/warehouse.js';
import type { Metric } from './metric.js';

/** Which values of a metric are asked for. Dates are YYYY-MM-DD; `from` is inclusive, `to` exclusive. */
export interface MetricQuestion {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** A dimension to break down by; without it, totals where the mart has them. */
  readonly by?: string | undefined;
  readonly where?: Readonly<Record<string, string>> | undefined;
  readonly currency?: string | undefined;
  readonly limit: number;
  /** Values to leave out at the start. Their order is total and a run never changes, so pages neither overlap nor miss one. */
  readonly offset?: number | undefined;
}

/** One value with what it takes to read it: where it stands, both sides of a ratio, whether the period is over. */
export interface MetricValue {
  readonly period: string | null;
  readonly currency: string | null;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly value: bigint | null;
  readonly numerator: bigint | null;
  readonly denominator: bigint | null;
  readonly isComplete: boolean | null;
}

const Integer = z
  .union([z.bigint(), z.number().int()])
  .nullable()
  .transform((value) => (value === null ? null : BigInt(value)));
const ValueRow = z.looseObject({
  metric_period: z.string().nullable(),
  metric_currency: z.string().nullable(),
  metric_value: Integer,
  metric_numerator: Integer,
  metric_denominator: Integer,
  metric_is_complete: z.boolean().nullable(),
});

interface Statement {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, QueryParameter>>;
}

function requireDimension(metric: Metric, name: string): string {
  if (metric.dimensions.includes(name)) return name;
  throw new InputError(
    'unknown_dimension',
    `metric ${metric.name} has no dimension "${name}"${didYouMean(name, metric.dimensions)}. ` +
      `It has: ${metric.dimensions.join(', ') || 'none'}.`,
    { details: { metric: metric.name, dimensions: metric.dimensions } },
  );
}

/** The columns that say where a value stands, and the conditions that pick one breakdown of the mart. */
function breakdownOf(metric: Metric, question: MetricQuestion) {
  const where = Object.entries(question.where ?? {}).map(([name, value]) => ({
    name: requireDimension(metric, name),
    value,
  }));
  const by = question.by === undefined ? undefined : requireDimension(metric, question.by);
  if (metric.breakdown !== 'member') {
    const asked = new Set([...where.map(({ name }) => name), ...(by === undefined ? [] : [by])]);
    const totals =
      metric.breakdown === 'rollup'
        ? metric.dimensions.filter((name) => !asked.has(name)).map((name) => ({ column: name, value: 'all' }))
        : [];
    return {
      columns: metric.dimensions,
      equal: [...where.map(({ name, value }) => ({ column: name, value })), ...totals],
      differ:
        metric.breakdown === 'rollup' && by !== undefined && !where.some(({ name }) => name === by)
          ? [by]
          : [],
    };
  }
  const [first, second] = where;
  if (second !== undefined || (first !== undefined && by !== undefined && by !== first.name)) {
    throw new InputError(
      'unknown_dimension',
      `metric ${metric.name} can be broken down by one dimension at a time`,
    );
  }
  return {
    columns: ['dimension', 'member'],
    equal: [
      { column: 'dimension', value: by ?? first?.name ?? 'all' },
      ...(first === undefined ? [] : [{ column: 'member', value: first.value }]),
    ],
    differ: [],
  };
}

/** The statement for a question. Names come from the registry alone; every value is a bound parameter. */
export function metricStatement(metric: Metric, question: MetricQuestion, relation: string): Statement {
  const { columns, equal, differ } = breakdownOf(metric, question);
  const parameters: Record<string, QueryParameter> = {
    limit: question.limit,
    offset: question.offset ?? 0,
  };
  const conditions: string[] = [];
  const bind = (value: QueryParameter): string => {
    const name = `p${conditions.length}`;
    parameters[name] = value;
    return `$${name}`;
  };
  for (const { column, value } of equal) conditions.push(`${column} = ${bind(value)}`);
  for (const column of differ) conditions.push(`${column} <> 'all'`);
  for (const [column, value] of Object.entries(metric.filters ?? {}))
    conditions.push(`${column} = ${bind(value)}`);
  if (metric.currency !== undefined && question.currency !== undefined) {
    conditions.push(`${metric.currency} = ${bind(question.currency)}`);
  }
  if (metric.period !== undefined) {
    if (question.from !== undefined)
      conditions.push(`${metric.period} >= cast(${bind(question.from)} as date)`);
    if (question.to !== undefined) conditions.push(`${metric.period} < cast(${bind(question.to)} as date)`);
  }
  const order = [
    ...(metric.period === undefined ? [] : [metric.period]),
    ...(metric.currency === undefined ? [] : [metric.currency]),
    ...columns,
  ];
  const sql = `
    select
      ${metric.period === undefined ? 'cast(null as varchar)' : `cast(${metric.period} as varchar)`} as metric_period,
      ${metric.currency ?? 'cast(null as varchar)'} as metric_currency,
      ${metric.value} as metric_value,
      ${metric.numerator ?? 'cast(null as bigint)'} as metric_numerator,
      ${metric.denominator ?? 'cast(null as bigint)'} as metric_denominator,
      ${metric.hasCompleteness === true ? 'is_complete' : 'cast(null as boolean)'} as metric_is_complete
      ${columns.map((column) => `, cast(${column} as varchar) as ${column}`).join('')}
    from ${relation}.${metric.mart}
    ${conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`}
    ${order.length === 0 ? '' : `order by ${order.join(', ')}`}
    limit $limit offset $offset`;
  return { sql, parameters };
}

/** The values of one metric in one run, ordered by period, currency and dimension. */
export async function metricValues(
  metric: Metric,
  question: MetricQuestion,
  run: RunReader,
): Promise<MetricValue[]> {
  const { sql, parameters } = metricStatement(metric, question, run.relation);
  const { columns } = breakdownOf(metric, question);
  const rows = await run.query(sql, parameters, ValueRow);
  return rows.map((row) => ({
    period: row.metric_period,
    currency: row.metric_currency,
    dimensions: dimensionsOf(columns, row),
    value: row.metric_value,
    numerator: row.metric_numerator,
    denominator: row.metric_denominator,
    isComplete: row.metric_is_complete,
  }));
}

/** Made once: a schema made for each row would cost more than the query. */
const Member = z.string().nullish();

function dimensionsOf(
  columns: readonly string[],
  row: Readonly<Record<string, unknown>>,
): Record<string, string> {
  const memberOf = (column: string): string | null => Member.parse(row[column]) ?? null;
  if (columns[0] === 'dimension') {
    const dimension = memberOf('dimension');
    return dimension === null || dimension === 'all' ? {} : { [dimension]: memberOf('member') ?? 'none' };
  }
  return Object.fromEntries(columns.map((column) => [column, memberOf(column) ?? 'none']));
}
