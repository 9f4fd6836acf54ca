import { z } from 'zod';
import { addDecimals, formatDecimal, normalize, parseDecimal, ZERO } from '../../core/decimal.js';
import type { Random } from '../../fixtures/generator/random.js';
import { drillParameters } from '../../transforms/drill.js';
import type { Metric } from '../../transforms/metric.js';
import type { RunReader } from '../../platform/warehouse/warehouse.js';
import { apiOf } from './api.js';
import type { TestCompany } from './company.js';

const Integer = z
  .union([z.bigint(), z.number()])
  .nullable()
  .transform((value) => (value === null ? null : BigInt(value)));
const NumberRow = z.looseObject({ value_: Integer, numerator_: Integer, denominator_: Integer });

/** One number of a metric as its mart has it, and the question that a drill asks for it. */
export interface PickedNumber {
  readonly metric: Metric;
  readonly question: Readonly<Record<string, string>>;
  readonly row: Readonly<Record<string, unknown>>;
  readonly value: bigint;
  /** What the sides of the drill must add up to. */
  readonly sides: Readonly<Record<string, string>>;
}

export function describeNumber({ metric, question, value }: PickedNumber): string {
  const place = Object.entries(question).map(([name, text]) => `${name}=${text}`);
  return `${metric.name} ${place.join(' ')}: ${value}`;
}

/** `count` numbers of a metric that are not 0, drawn by `random`; fewer where there are fewer. */
export async function pickNumbers(
  metric: Metric,
  reader: RunReader,
  random: Random,
  { count, where = '1 = 1' }: { count: number; where?: string },
): Promise<PickedNumber[]> {
  const filters = Object.entries(metric.filters ?? {}).map(([column, value]) =>
    typeof value === 'string' ? `${column} = '${value}'` : `${column} = ${value}`,
  );
  const rows = await reader.query(
    `select *, ${metric.value} as value_, ${metric.numerator ?? 'null'} as numerator_, ${metric.denominator ?? 'null'} as denominator_
     from ${reader.relation}.${metric.mart} where ${[...filters, where].join(' and ')} order by all`,
    {},
    NumberRow,
  );
  const asked = drillParameters(metric, reader);
  const drawn = rows
    .filter(({ value_: value }) => value !== null && value !== 0n)
    .map((row) => ({ row, place: random.next() }))
    .sort((a, b) => a.place - b.place)
    .slice(0, count);
  return drawn.map(({ row }) => ({
    metric,
    row,
    value: row.value_ ?? 0n,
    question: Object.fromEntries(asked.map((name) => [name, String(row[name])])),
    sides: sidesOf(metric, row),
  }));
}

function sidesOf(metric: Metric, row: z.output<typeof NumberRow>): Record<string, string> {
  if (metric.numerator !== undefined) {
    return { numerator: String(row.numerator_), denominator: String(row.denominator_) };
  }
  // A quantile is no sum: its drill lists everything it was estimated from.
  return metric.unit === 'seconds' ? { input: String(row['installs']) } : { value: String(row.value_) };
}

const Drilled = z.object({
  is_complete: z.boolean(),
  sides: z.record(z.string(), z.object({ sum: z.string(), rows: z.number() })),
  rows: z.array(
    z.object({
      side: z.string(),
      org_id: z.string().nullable(),
      event_source: z.string(),
      event_id: z.string(),
      at: z.string(),
      amount: z.string(),
    }),
  ),
});
export type DrilledRow = z.output<typeof Drilled>['rows'][number];

/** The name under which oracles know an event. */
export const eventOf = (row: DrilledRow): string => `${row.event_source} ${row.event_id}`;

/** The rows behind a number, through the API. */
export async function drillNumber(
  company: TestCompany,
  { metric, question }: PickedNumber,
): Promise<DrilledRow[]> {
  const query = new URLSearchParams({ ...question, limit: '100000' });
  const drilled = await apiOf(company).get(`/v1/metrics/${metric.name}/drill?${query.toString()}`, Drilled);
  if (!drilled.is_complete) throw new Error(`${metric.name}: more rows than one answer holds`);
  for (const [side, { sum }] of Object.entries(drilled.sides)) {
    if (sum !== sumOf(drilled.rows, side)) throw new Error(`${metric.name}: side ${side} says ${sum}`);
  }
  return drilled.rows;
}

/** What a side's rows add up to, exactly. */
export function sumOf(rows: readonly DrilledRow[], side?: string): string {
  const sum = rows
    .filter((row) => side === undefined || row.side === side)
    .reduce((total, row) => addDecimals(total, parseDecimal(row.amount)), ZERO);
  return formatDecimal(normalize(sum));
}

/** Amounts by event (or by what `keyOf` says), those of 0 left out. */
export function amountsBy(
  rows: readonly DrilledRow[],
  keyOf: (row: DrilledRow) => string,
): Record<string, bigint> {
  const amounts: Record<string, bigint> = {};
  for (const row of rows) amounts[keyOf(row)] = (amounts[keyOf(row)] ?? 0n) + BigInt(row.amount);
  return Object.fromEntries(Object.entries(amounts).filter(([, amount]) => amount !== 0n));
}
