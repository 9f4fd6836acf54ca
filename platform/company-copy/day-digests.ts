import { z } from 'zod';
import { OWN_PARTITION } from '../../core/raw-event.js';
import { digestSql } from '../warehouse/digest-sql.js';
import type { Dialect, Queries } from '../warehouse/warehouse.js';

/** What a stream holds of one day (of event time, UTC): how many rows, and a sum over their hashes that no order changes. */
export interface DayDigest {
  readonly rows: bigint;
  readonly digest: string;
}

const Row = z.object({ day: z.string(), rows: z.bigint(), digest: z.string() });

/** How each engine says what the digest is made of. */
const SPELLINGS: Readonly<
  Record<
    Dialect,
    {
      micros: (column: string) => string;
      day: string;
    }
  >
> = {
  duckdb: {
    micros: (column) => `cast(epoch_us(${column}) as varchar)`,
    day: 'cast(cast(time as date) as varchar)',
  },
  clickhouse: {
    micros: (column) => `toString(toUnixTimestamp64Micro(${column}))`,
    day: "toString(toDate(time, 'UTC'))",
  },
};

/** Every column of a raw row, so that a digest differs when any of them does. */
function rowText(dialect: Dialect): string {
  const { micros } = SPELLINGS[dialect];
  const { lineFeed } = digestSql(dialect);
  const text = (column: string): string => `cast(${column} as varchar)`;
  return [
    text('log_partition'),
    text('log_offset'),
    micros('recorded_at'),
    text('source'),
    text('id'),
    text('identity'),
    text('type'),
    text('subject'),
    micros('time'),
    text('data'),
    `coalesce(cast(extra as ${dialect === 'clickhouse' ? 'Nullable(String)' : 'varchar'}), '-')`,
    text('raw_hash'),
  ].join(` || ${lineFeed} || `);
}

/**
 * Days of a stream with their digests, over rows of log partition 0 up to `last`: the embedded log's own.
 *
 * @param relation the stream's rows, one per log position, for a FROM clause
 */
export async function dayDigests(
  queries: Queries,
  relation: string,
  last: bigint,
): Promise<ReadonlyMap<string, DayDigest>> {
  const { day } = SPELLINGS[queries.dialect];
  const rows = await queries.query(
    `select told.day as day, count(*) as rows, ${digestSql(queries.dialect).sumOf('told.content')} as digest
     from (
       select ${day} as day, ${rowText(queries.dialect)} as content
       from ${relation} as raw where raw.log_partition = ${OWN_PARTITION} and raw.log_offset <= $last
     ) as told
     group by told.day`,
    { last },
    Row,
  );
  return new Map(rows.map((row) => [row.day, { rows: row.rows, digest: row.digest }]));
}

/** Days on which two sides do not hold the same rows, in order. */
export function differingDays(
  source: ReadonlyMap<string, DayDigest>,
  target: ReadonlyMap<string, DayDigest>,
): string[] {
  const isSame = (day: string): boolean => {
    const [ours, theirs] = [source.get(day), target.get(day)];
    return ours !== undefined && ours.rows === theirs?.rows && ours.digest === theirs.digest;
  };
  return [...new Set([...source.keys(), ...target.keys()])].filter((day) => !isSame(day)).sort();
}
