import { z } from 'zod';
import type { Instant } from '../core/time.js';
import type { QueryParameter, RunReader } from '../platform/warehouse/warehouse.js';
import type { Run } from '../transforms/run-store.js';
import { openCursor, sealCursor } from './cursor.js';
import { keysetSql, type OrderColumn } from './keyset.js';
import type { Services } from './services.js';

/** A condition that holds for all rows of a list when its value is given: `grade = $value` with one `$value`. */
export interface Filter {
  readonly condition: string;
  readonly value: QueryParameter | undefined;
}

/** A list over one relation of a run. */
export interface MartList<Row> {
  readonly mart: string;
  /** What is selected, comma-separated. */
  readonly columns: string;
  readonly filters: readonly Filter[];
  readonly order: readonly OrderColumn[];
  readonly row: z.ZodType<Row>;
  /** A row's values of the order's columns. */
  place(row: Row): string[];
}

export interface PageRequest {
  readonly asOf?: Instant | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

export interface MartPage<Row> {
  readonly run: Run;
  readonly rows: readonly Row[];
  readonly nextCursor: string | null;
}

const Place = z.tuple([z.string()], z.string());

/**
 * One page of a list over a mart. The cursor names the run that the first page came from, so that a list read page by page is of
 * one run though the pointer moves on meanwhile.
 */
export async function martPage<Row>(
  services: Services,
  list: MartList<Row>,
  { asOf, cursor, limit }: PageRequest,
): Promise<MartPage<Row>> {
  const name = nameOf(list, asOf);
  const [runId, ...place] = cursor === undefined ? [] : openCursor(name, cursor, Place);
  const run = await services.runs.choose(runId === undefined ? { asOf } : { runId });
  const found = await services.runs.read(run, ({ reader }) =>
    readRows(list, runId === undefined ? null : place, limit + 1, reader),
  );
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  const hasMore = found.length > limit && last !== undefined;
  return { run, rows, nextCursor: hasMore ? sealCursor(name, [run.runId, ...list.place(last)]) : null };
}

function readRows<Row>(
  { mart, columns, filters, order, row }: MartList<Row>,
  place: readonly string[] | null,
  limit: number,
  reader: RunReader,
): Promise<Row[]> {
  const keyset = keysetSql(reader.dialect, order, place);
  const given = filters.flatMap(({ condition, value }) =>
    value === undefined ? [] : [{ condition, value }],
  );
  const parameters: Record<string, QueryParameter> = { ...keyset.parameters, limit };
  const conditions = given.map(({ condition, value }, index) => {
    parameters[`filter${index}`] = value;
    return condition.replace('$value', `$filter${index}`);
  });
  return reader.query(
    `select ${columns} from ${reader.relation}.${mart}
     where ${[...conditions, keyset.condition].join(' and ')}
     order by ${keyset.orderBy} limit $limit`,
    parameters,
    row,
  );
}

/** Another filter, order or as-of is another list: a cursor of one is none of the other's. */
function nameOf<Row>({ mart, filters, order }: MartList<Row>, asOf: Instant | undefined): string {
  const asked = filters.map(({ condition, value }) => [
    condition,
    value === undefined ? null : String(value),
  ]);
  return JSON.stringify([mart, asked, order, asOf === undefined ? null : asOf.toString()]);
}
