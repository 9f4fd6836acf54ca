import { z } from 'zod';
import { isEventType, type EventType } from '../../core/events.js';
import { STREAMS, type Stream } from '../../core/raw-event.js';
import type { BulkSession, SelectedRows } from '../../platform/warehouse/bulk-warehouse.js';
import { selectType } from './select-type.js';
import { sqlText } from './sure-pass.js';

const LINES = 'ingest_lines';

export interface SiftOptions {
  /** Events of types with fewer lines in the chunk go to zod: planning a statement costs as much as 200 of them. */
  readonly minimumLines: number;
  /** No line is longer: those were taken out before. */
  readonly maxLineBytes: number;
  /** Types with personal fields that only the catalog knows. */
  readonly excludedTypes: ReadonlySet<string>;
  readonly latestMicros: bigint;
}

export interface SiftedLines {
  /** Rows that the engine is sure of, for the append. */
  readonly selections: readonly SelectedRows[];
  readonly sureRows: number;
  /** Places of all other lines that are not empty, ascending. */
  readonly unsureOrdinals: readonly number[];
}

const TypeCount = z.object({ type: z.string().nullable(), lines: z.bigint() });
const Ordinal = z.object({ ordinal: z.bigint() });
const SureCount = z.object({ rows: z.bigint() });

/**
 * Lets the engine read a file of lines and sort out those that surely are valid events without anything personal.
 * Its tables are the session's own and are made anew for each chunk.
 */
export async function siftLines(
  session: BulkSession,
  linesFile: string,
  options: SiftOptions,
): Promise<SiftedLines> {
  await stageLines(session, linesFile, options.maxLineBytes);
  const types = await sureTypes(session, options);
  const streams = new Set<Stream>();
  for (const type of types) {
    const selection = selectType(type, LINES);
    if (!selection) continue;
    if (!streams.has(selection.stream)) await createSifted(session, selection.stream);
    streams.add(selection.stream);
    await session.run(`INSERT INTO ${siftedTable(selection.stream)} ${selection.sql}`, {
      latest: options.latestMicros,
    });
  }
  const unsure = await unsureOrdinals(session, types, streams);
  // The append needs memory too, and what the lines were is known now.
  await session.run(`DROP TABLE ${LINES}`);
  return {
    selections: [...streams].map((stream) => ({
      stream,
      sql: `SELECT ordinal, source, id, type, subject, time, data, NULL::VARCHAR AS extra
            FROM ${siftedTable(stream)} WHERE is_sure`,
    })),
    sureRows: await countSure(session, streams),
    unsureOrdinals: unsure,
  };
}

/** One row a line, in the file's order: `rowid` is the line's place. Empty lines are NULL. */
async function stageLines(session: BulkSession, linesFile: string, maxLineBytes: number): Promise<void> {
  await session.run(`CREATE OR REPLACE TEMP TABLE ${LINES} AS
    SELECT line, try(json_extract_string(line, '$.type')) AS type
    FROM read_csv(${sqlText(linesFile)}, columns = {'line': 'VARCHAR'}, auto_detect = false, header = false,
      delim = '', quote = '', escape = '', comment = '', new_line = '\\n', strict_mode = false,
      max_line_size = ${2 * maxLineBytes})`);
}

async function sureTypes(
  session: BulkSession,
  { minimumLines, excludedTypes }: SiftOptions,
): Promise<EventType[]> {
  const counts = await session.query(
    `SELECT type, count(*) AS lines FROM ${LINES} GROUP BY type`,
    {},
    TypeCount,
  );
  return counts
    .filter(({ lines }) => lines >= BigInt(minimumLines))
    .map(({ type }) => type ?? '')
    .filter(isEventType)
    .filter((type) => !excludedTypes.has(type) && selectType(type, LINES) !== null);
}

function createSifted(session: BulkSession, stream: Stream): Promise<void> {
  return session.run(`CREATE OR REPLACE TEMP TABLE ${siftedTable(stream)}
    (ordinal BIGINT, source VARCHAR, id VARCHAR, type VARCHAR, subject VARCHAR, time TIMESTAMP, data VARCHAR,
     is_sure BOOLEAN)`);
}

async function countSure(session: BulkSession, streams: ReadonlySet<Stream>): Promise<number> {
  let sure = 0;
  for (const stream of streams) {
    const [count] = await session.query(
      `SELECT count(*) AS rows FROM ${siftedTable(stream)} WHERE is_sure`,
      {},
      SureCount,
    );
    sure += Number(count?.rows ?? 0n);
  }
  return sure;
}

async function unsureOrdinals(
  session: BulkSession,
  types: readonly EventType[],
  streams: ReadonlySet<Stream>,
): Promise<number[]> {
  const isOther =
    types.length === 0 ? 'true' : `(type IS NULL OR type NOT IN (${types.map(sqlText).join(', ')}))`;
  const parts = [
    `SELECT rowid AS ordinal FROM ${LINES} WHERE line IS NOT NULL AND ${isOther}`,
    ...STREAMS.filter((stream) => streams.has(stream)).map(
      (stream) => `SELECT ordinal FROM ${siftedTable(stream)} WHERE NOT is_sure`,
    ),
  ];
  const rows = await session.query(`${parts.join(' UNION ALL ')} ORDER BY ordinal`, {}, Ordinal);
  return rows.map(({ ordinal }) => Number(ordinal));
}

function siftedTable(stream: Stream): string {
  return `ingest_sifted_${stream}`;
}
