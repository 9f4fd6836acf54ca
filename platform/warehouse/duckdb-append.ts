import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import { z } from 'zod';
import { STREAMS, type RawEvent, type Stream } from '../../core/raw-event.js';
import type { BulkBatch, PlacedEvent, SelectedRows } from './bulk-warehouse.js';
import { queryOn } from './duckdb-connections.js';
import { bindings } from './duckdb-values.js';
import { RAW_COLUMN_LIST, rawTable } from './raw-tables.js';
import type { IngestChunk, LogBatch, QueryParameters } from './warehouse.js';

/** Rows in one statement: its JSON text is held twice, here and in the engine. */
const ROWS_PER_INSERT = 2000;

/**
 * Micros travel as text: a JSON number of theirs would pass 2^53 in the year 2255. Every parameter says its type: one
 * without makes the engine plan anew with its value as a constant, which takes twice as long as the insert itself.
 */
const ROWS_AS_SELECTION = `SELECT event.ordinal, event.source, event.id, event.type, event.subject,
    make_timestamp(event.time_micros) AS time, event.data, event.extra, event.recorded_micros
  FROM (SELECT unnest(from_json($rows::VARCHAR, '[{"ordinal": "BIGINT", "source": "VARCHAR", "id": "VARCHAR",
    "type": "VARCHAR", "subject": "VARCHAR", "time_micros": "BIGINT", "data": "VARCHAR", "extra": "VARCHAR",
    "recorded_micros": "BIGINT"}]')) AS event)`;

/** One INSERT, ready to run. */
export interface InsertStatement {
  readonly sql: string;
  readonly parameters: QueryParameters;
}

/**
 * Rows that JavaScript has, as the INSERTs that take them: one for each stream, more for very many rows.
 *
 * @param recordedAtMicros of rows without a time of their own
 */
export function insertsOf(
  baseOffset: bigint,
  placed: readonly PlacedEvent[],
  recordedAtMicros: bigint,
): InsertStatement[] {
  return STREAMS.flatMap((stream) => {
    const rows = placed.filter(({ event }) => event.stream === stream);
    const inserts: InsertStatement[] = [];
    for (let start = 0; start < rows.length; start += ROWS_PER_INSERT) {
      inserts.push({
        sql: insertSql({ stream, sql: ROWS_AS_SELECTION }, 'coalesce(recorded_micros, $recorded_at::BIGINT)'),
        parameters: {
          base: baseOffset,
          recorded_at: recordedAtMicros,
          rows: jsonOf(rows.slice(start, start + ROWS_PER_INSERT)),
        },
      });
    }
    return inserts;
  });
}

/**
 * The rows as one text for the engine to take apart. DuckDB's appender is about as fast, but all of its work is on
 * the thread that answers requests: 4.3 ms for 1,000 rows, against 0.7.
 */
function jsonOf(placed: readonly PlacedEvent[]): string {
  return JSON.stringify(
    placed.map(({ event, ordinal, recordedAtMicros }) => ({
      ordinal: ordinal.toString(),
      source: event.source,
      id: event.id,
      type: event.type,
      subject: event.subject,
      time_micros: event.timeMicros.toString(),
      data: event.data,
      extra: event.extra,
      recorded_micros: recordedAtMicros?.toString(),
    })),
  );
}

/** identity and raw_hash are those of core/identity.ts; a test holds the two together. */
function insertSql({ stream, sql }: SelectedRows, recordedMicros = '$recorded_at::BIGINT'): string {
  return `INSERT INTO ${rawTable(stream)} (${RAW_COLUMN_LIST})
    SELECT 0, $base::BIGINT + ordinal, make_timestamp(${recordedMicros}), source, id, md5(source || chr(10) || id),
      type, subject, time, data, extra,
      md5(type || chr(10) || subject || chr(10) || epoch_us(time)::VARCHAR || chr(10) || data)
    FROM (${sql}) AS selected`;
}

/** INSERTs on one connection, each planned once: planning takes as long as a small insert. They end with the connection. */
export class PreparedInserts {
  private readonly bySql = new Map<string, DuckDBPreparedStatement>();

  constructor(private readonly connection: DuckDBConnection) {}

  /** One at a time. */
  async run({ sql, parameters }: InsertStatement): Promise<void> {
    let prepared = this.bySql.get(sql);
    if (prepared === undefined) {
      prepared = await this.connection.prepare(sql);
      this.bySql.set(sql, prepared);
    }
    prepared.bind(...bindings(parameters));
    await prepared.run();
  }
}

async function runInsert(connection: DuckDBConnection, { sql, parameters }: InsertStatement): Promise<void> {
  await connection.run(sql, ...bindings(parameters));
}

export async function recordChunk(
  connection: DuckDBConnection,
  chunk: IngestChunk,
  recordedAtMicros: bigint,
): Promise<void> {
  await connection.run(
    `INSERT INTO ingest_chunks VALUES ($digest, $source, $offset, $rows, make_timestamp($recorded_at))`,
    ...bindings({
      digest: chunk.chainDigest,
      source: chunk.sourceName,
      offset: chunk.offsetBytes,
      rows: chunk.rows,
      recorded_at: recordedAtMicros,
    }),
  );
}

/** How far a topic's partition has been taken in. */
export async function recordProgress(
  connection: DuckDBConnection,
  { stream, topicPartition, lastOffset }: LogBatch,
): Promise<void> {
  const [values, types] = bindings({ stream, partition: topicPartition, last: lastOffset });
  const { rowsChanged } = await connection.run(
    'UPDATE log_progress SET last_offset = $last WHERE stream = $stream AND topic_partition = $partition',
    values,
    types,
  );
  if (rowsChanged > 0) return;
  await connection.run('INSERT INTO log_progress VALUES ($stream, $partition, $last)', values, types);
}

/** Everything a bulk batch writes; the caller holds the transaction. */
export async function appendBatch(
  connection: DuckDBConnection,
  baseOffset: bigint,
  batch: BulkBatch,
): Promise<void> {
  const { selections, events, recordedAtMicros, chunk } = batch;
  for (const selection of selections) {
    const parameters = { base: baseOffset, recorded_at: recordedAtMicros };
    await runInsert(connection, { sql: insertSql(selection), parameters });
  }
  for (const insert of insertsOf(baseOffset, events, recordedAtMicros)) await runInsert(connection, insert);
  await recordChunk(connection, chunk, recordedAtMicros);
}

/** Rows of one stream that one transaction wrote. */
export interface OffsetRange {
  readonly first: bigint;
  readonly last: bigint;
  readonly count: bigint;
}

const RangeRow = z.object({ first: z.bigint().nullable(), last: z.bigint().nullable(), count: z.bigint() });

/** What stands at or above `from`, null when nothing does. Row groups carry their extremes: old ones are not read. */
export async function offsetsFrom(
  connection: DuckDBConnection,
  stream: Stream,
  from: bigint,
): Promise<OffsetRange | null> {
  const [row] = await queryOn(
    connection,
    `SELECT min(log_offset) AS first, max(log_offset) AS last, count(*) AS count
     FROM ${rawTable(stream)} WHERE log_offset >= $from`,
    { from },
    RangeRow,
  );
  if (!row || row.first === null || row.last === null) return null;
  return { first: row.first, last: row.last, count: row.count };
}

export function placedInOrder(events: readonly RawEvent[]): PlacedEvent[] {
  return events.map((event, index) => ({ event, ordinal: BigInt(index) }));
}
