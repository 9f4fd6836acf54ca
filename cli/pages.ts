import { z } from 'zod';
import type { ApiCall, Client } from './client.js';

/** As many rows as were asked for, over as many pages as that takes. */
export interface List<Row> {
  readonly rows: readonly Row[];
  /** What was read, as one page: for `--json`. */
  readonly answer: Readonly<Record<string, unknown>>;
  readonly hasMore: boolean;
  /** Where the rows come from a run: `as of …, run …`. */
  readonly origin: string | null;
}

/** What every list of the API takes. */
const PAGE_ROWS = 200;

interface ListQuestion<Row> {
  /** The field of the answer that holds the rows. */
  readonly rows: string;
  readonly row: z.ZodType<Row>;
  /** Undefined: all there are. */
  readonly limit: number | undefined;
  /** Where the API takes more than the usual at once. */
  readonly pageRows?: number;
}

const Page = z.looseObject({
  next_cursor: z.string().nullable(),
  run_id: z.string().optional(),
  as_of: z.string().optional(),
});

/**
 * Follows a list page by page until `limit` rows are there. Pages of one question come from one run, so nothing shows twice.
 */
export async function readList<Row>(
  client: Client,
  call: ApiCall,
  { limit: most = Infinity, pageRows = PAGE_ROWS, ...question }: ListQuestion<Row>,
): Promise<List<Row>> {
  const rows: Row[] = [];
  let cursor: string | undefined;
  for (;;) {
    const limit = Math.min(most - rows.length, pageRows);
    const page = await client.call({ ...call, query: { ...call.query, limit, cursor } }, Page);
    rows.push(...z.array(question.row).parse(page[question.rows]));
    cursor = page.next_cursor ?? undefined;
    if (cursor !== undefined && rows.length < most) continue;
    return {
      rows,
      answer: { ...page, [question.rows]: rows },
      hasMore: cursor !== undefined,
      origin:
        page.as_of === undefined || page.run_id === undefined ? null : originOf(page.as_of, page.run_id),
    };
  }
}

/** Every number says which as-of and which run it comes from. */
export function originOf(asOf: string, runId: string): string {
  return `as of ${asOf}, run ${runId}`;
}

/** A list as text: its table, whether there is more, and where it comes from. */
export function listText<Row>({ rows, hasMore, origin }: List<Row>, table: string, none: string): string {
  return [
    rows.length === 0 ? none : table,
    ...(hasMore ? ['… there are more; --limit shows them'] : []),
    ...(origin === null ? [] : ['', origin]),
  ].join('\n');
}
