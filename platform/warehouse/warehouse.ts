import type { z } from 'zod';
import type { LogPosition, RawEvent, Stream, WatermarkVector } from '../../core/raw-event.js';

/** A value bound to `$name`. Whole numbers bind as integers; dates and instants are text and are cast in the SQL. */
export type QueryParameter = string | number | bigint | boolean | null;
export type QueryParameters = Readonly<Record<string, QueryParameter>>;

/**
 * What a row schema is given, on every engine:
 * 64-bit and wider integers are `bigint`, narrower ones and floats `number`; decimals are digit strings with the
 * column's whole scale ("1.500000000000"); DATE is 'YYYY-MM-DD'; TIMESTAMP is RFC 3339 in UTC
 * ("2026-01-31T10:00:00Z", with 6 digits of fraction only when there is one); lists are arrays, structs objects.
 */
export type RowSchema<Row> = z.ZodType<Row>;

/** Whose SQL is understood. The few places where it matters choose by this; everything else is written once for both. */
export type Dialect = 'duckdb' | 'clickhouse';

/** What every reader of tables can do. `sql` is one statement; its rows are parsed, never cast. */
export interface Queries {
  readonly dialect: Dialect;
  query<Row>(sql: string, parameters: QueryParameters, rowSchema: RowSchema<Row>): Promise<Row[]>;
  /** For results that should not be held at once: batches of rows, in order. Leaving the loop early is fine. */
  stream<Row>(sql: string, parameters: QueryParameters, rowSchema: RowSchema<Row>): AsyncIterable<Row[]>;
}

/**
 * A stretch of a file that has been taken in. `chainDigest` covers the file's bytes from its start up to the
 * stretch's end, so that the same file, or one that begins with it, is known without trusting its name.
 */
export interface IngestChunk {
  readonly chainDigest: string;
  readonly sourceName: string;
  /** Where the stretch ends in the (unpacked) file. */
  readonly offsetBytes: bigint;
  readonly rows: bigint;
}

export interface AppendReceipt {
  readonly count: number;
  /** Positions of the first and the last event; null when nothing was appended. */
  readonly first: LogPosition | null;
  readonly last: LogPosition | null;
}

/** Consecutive messages of one partition of one stream's topic, as a consumer read them; offsets ascend, gaps are fine. */
export interface LogBatch {
  readonly stream: Stream;
  /** The topic's own partition. */
  readonly topicPartition: number;
  readonly events: readonly LoggedEvent[];
  /** The offset up to which (inclusive) this batch has taken care of the log, messages without an event included. */
  readonly lastOffset: bigint;
}

export interface LoggedEvent {
  readonly offset: bigint;
  readonly event: RawEvent;
  /** When it came to us, as the producer wrote it into the message. */
  readonly recordedAtMicros: bigint;
}

/** How far a partition of a topic has been taken in, inclusive. */
export interface TopicProgress {
  readonly stream: Stream;
  readonly topicPartition: number;
  readonly lastOffset: bigint;
}

/** Where a published run's marts are, as the `runs` table has it. */
export interface RunLocation {
  readonly runId: string;
  /** Embedded: the run's folder, from the data directory; it holds marts.duckdb and facts/. ClickHouse: the run's database. */
  readonly location: string;
}

/** A run held open for reading. It stays readable until released, though the pointer has moved on. */
export interface RunReader extends Queries {
  readonly runId: string;
  /** Prefix of the run's relations: `${relation}.mrr_months`. */
  readonly relation: string;
  /** A relation with the run's own facts of one stream, for a FROM clause. */
  facts(stream: Stream): string;
  /** A relation with the raw rows that are in the lake, for a FROM clause (at or below every run's watermark). */
  raw(stream: Stream): string;
  release(): Promise<void>;
}

/** Raw events for ever, and the marts that runs build from them. */
export interface Warehouse extends Queries {
  /**
   * Appends in the order given, at consecutive offsets; when it returns, the rows are durable and visible. It is a
   * plain append: identity is resolved at read. With `chunk`, the file's progress commits with the rows (on ClickHouse after
   * them), and a chunk that was taken in before appends nothing.
   *
   * @throws UnavailableError when the disk is full or the engine can't write now; then nothing was appended. Where the answer of a
   *   server was lost, it may have been appended all the same: sent again, each event counts once by its identity
   */
  append(
    events: readonly RawEvent[],
    options: { recordedAtMicros: bigint; chunk?: IngestChunk },
  ): Promise<AppendReceipt>;
  /**
   * Appends what a consumer read. When it returns, the rows are durable and visible, and `positions()` counts them. The same messages
   * again (a rebalance, a restart) count once: DuckDB keeps the topic's progress in the same transaction and leaves them out; ClickHouse
   * keeps each row's log position, and readers take one row per position.
   *
   * @throws UnavailableError (retryable) when the engine can't write now; then the batch may be sent again, whole
   */
  appendFromLog(batch: LogBatch): Promise<void>;
  /** Where a consumer goes on: partitions that something was taken in from. The consumer group's own offsets are but a copy of it. */
  topicProgress(): Promise<readonly TopicProgress[]>;
  /** Where a chunk's events went through a log, its progress is noted after they are durable there; the same chunk again is known. */
  recordChunk(chunk: IngestChunk, recordedAtMicros: bigint): Promise<void>;
  /** The chunk with this digest, when it has been taken in. */
  findChunk(chainDigest: string): Promise<IngestChunk | null>;
  /** The highest durable position of each stream; a stream without rows has none. */
  positions(): Promise<WatermarkVector>;
  /** All raw rows of a stream, one for each position of the log, for a FROM clause. */
  rawRows(stream: Stream): string;
  /** @throws InputError when the run's marts are not there */
  openRun(run: RunLocation): Promise<RunReader>;
  /** Waits for what is under way, then lets go of the files. Later calls are refused. */
  close(): Promise<void>;
}
