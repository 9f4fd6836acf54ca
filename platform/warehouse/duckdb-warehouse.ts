import type { DuckDBConnection } from '@duckdb/node-api';
import { z } from 'zod';
import { STREAMS, type RawEvent, type Stream, type WatermarkVector } from '../../core/raw-event.js';
import type { LakeFiles } from '../lake-files.js';
import type { BulkBatch, BulkSession, BulkWarehouse, PlacedEvent } from './bulk-warehouse.js';
import {
  appendBatch,
  insertsOf,
  offsetsFrom,
  placedInOrder,
  recordChunk,
  recordProgress,
  type OffsetRange,
} from './duckdb-append.js';
import { brokenError, closedError, queryOn, reopenedError, runOn, streamOn } from './duckdb-connections.js';
import { DuckdbEngine, type DuckdbOptions } from './duckdb-engine.js';
import { isFatal, warehouseError } from './duckdb-errors.js';
import { AttachedRuns } from './duckdb-runs.js';
import { rawTable } from './raw-tables.js';
import { Turnstile } from './turnstile.js';
import type {
  AppendReceipt,
  IngestChunk,
  LogBatch,
  QueryParameters,
  RowSchema,
  RunLocation,
  RunReader,
  TopicProgress,
  Warehouse,
} from './warehouse.js';

const NOTHING: AppendReceipt = { count: 0, first: null, last: null };
const ChunkRow = z.object({ source_name: z.string(), offset_bytes: z.bigint(), rows: z.bigint() });
const ProgressRow = z.object({
  stream: z.enum(STREAMS),
  topic_partition: z.bigint(),
  last_offset: z.bigint(),
});

/**
 * One DuckDB file that this process alone has open. One writer at a time: offsets become visible in ascending order,
 * so a watermark can be a single number.
 */
export class DuckdbWarehouse implements Warehouse, BulkWarehouse {
  readonly dialect = 'duckdb';
  private readonly turnstile = new Turnstile();
  private readonly runs: AttachedRuns;
  private isClosed = false;
  /** The engine ended with an error, and so far could not be opened again. */
  private isBroken = false;

  private constructor(
    private readonly options: DuckdbOptions,
    private engine: DuckdbEngine,
    lake: LakeFiles,
  ) {
    this.runs = new AttachedRuns(() => this.openEngine(), lake);
  }

  static async open(options: DuckdbOptions, lake: LakeFiles): Promise<DuckdbWarehouse> {
    return new DuckdbWarehouse(options, await DuckdbEngine.open(options), lake);
  }

  async append(
    events: readonly RawEvent[],
    { recordedAtMicros, chunk }: { recordedAtMicros: bigint; chunk?: IngestChunk },
  ): Promise<AppendReceipt> {
    if (events.length === 0 && !chunk) return NOTHING;
    const placed = placedInOrder(events);
    return await this.turnstile.enter(async () => {
      if (this.isBroken) await this.reopen();
      if (chunk && (await this.findChunk(chunk.chainDigest))) return NOTHING;
      const base = this.openEngine().nextOffset();
      const inserts = insertsOf(base, placed, recordedAtMicros);
      return this.commit(this.engine.writer, base, {
        // One INSERT is a transaction by itself, and without BEGIN and COMMIT it is two round trips shorter.
        isOneStatement: inserts.length === 1 && !chunk,
        write: async (connection) => {
          for (const insert of inserts) await this.engine.inserts.run(insert);
          if (chunk) await recordChunk(connection, chunk, recordedAtMicros);
          return rangesOf(placed, base);
        },
      });
    });
  }

  async bulk<Result>(work: (session: BulkSession) => Promise<Result>): Promise<Result> {
    const engine = this.openEngine();
    const connection = await engine.connect();
    const session: BulkSession = {
      dialect: 'duckdb',
      query: (sql, parameters, rowSchema) => queryOn(connection, sql, parameters, rowSchema),
      stream: (sql, parameters, rowSchema) => streamOn(connection, sql, parameters, rowSchema),
      run: async (sql, parameters = {}) => {
        await runOn(connection, sql, parameters);
      },
      append: (batch) => this.appendBulk(engine, connection, batch),
    };
    try {
      return await work(session);
    } finally {
      connection.closeSync();
    }
  }

  appendFromLog(batch: LogBatch): Promise<void> {
    return this.turnstile.enter(async () => {
      if (this.isBroken) await this.reopen();
      const { stream, topicPartition, lastOffset } = batch;
      const taken = await this.progressOf(stream, topicPartition);
      if (lastOffset <= taken) return;
      const events = batch.events.filter(({ offset }) => offset > taken);
      const base = this.openEngine().nextOffset();
      await this.commit(this.engine.writer, base, {
        isOneStatement: false,
        write: async (connection) => {
          const placed = events.map(({ event, recordedAtMicros }, index) => ({
            ...{ event, recordedAtMicros },
            ordinal: BigInt(index),
          }));
          // Each has a time of its own, by which what came through several partitions is ordered.
          for (const insert of insertsOf(base, placed, 0n)) await this.engine.inserts.run(insert);
          await recordProgress(connection, batch);
          return rangesOf(placed, base);
        },
      });
    });
  }

  async topicProgress(): Promise<TopicProgress[]> {
    const rows = await this.query('SELECT * FROM log_progress ORDER BY ALL', {}, ProgressRow);
    return rows.map(({ stream, topic_partition: partition, last_offset: lastOffset }) => ({
      stream,
      topicPartition: Number(partition),
      lastOffset,
    }));
  }

  recordChunk(chunk: IngestChunk, recordedAtMicros: bigint): Promise<void> {
    return this.turnstile.enter(async () => {
      if (await this.findChunk(chunk.chainDigest)) return;
      await recordChunk(this.openEngine().writer, chunk, recordedAtMicros);
    });
  }

  async findChunk(chainDigest: string): Promise<IngestChunk | null> {
    const [row] = await this.query(
      'SELECT source_name, offset_bytes, rows FROM ingest_chunks WHERE chain_digest = $digest',
      { digest: chainDigest },
      ChunkRow,
    );
    if (!row) return null;
    return { chainDigest, sourceName: row.source_name, offsetBytes: row.offset_bytes, rows: row.rows };
  }

  async query<Row>(sql: string, parameters: QueryParameters, rowSchema: RowSchema<Row>): Promise<Row[]> {
    return await this.openEngine().pool.use((connection) => queryOn(connection, sql, parameters, rowSchema));
  }

  async *stream<Row>(
    sql: string,
    parameters: QueryParameters,
    rowSchema: RowSchema<Row>,
  ): AsyncIterable<Row[]> {
    const { pool } = this.openEngine();
    const connection = await pool.take();
    try {
      yield* streamOn(connection, sql, parameters, rowSchema);
    } finally {
      pool.giveBack(connection);
    }
  }

  positions(): Promise<WatermarkVector> {
    const { highest } = this.openEngine();
    const of = (stream: Stream) => {
      const offset = highest.get(stream);
      return offset === undefined ? [] : [{ partition: 0, offset }];
    };
    return Promise.resolve({
      executions: of('executions'),
      installs: of('installs'),
      billing: of('billing'),
      crm: of('crm'),
    });
  }

  rawRows(stream: Stream): string {
    return rawTable(stream);
  }

  openRun(run: RunLocation): Promise<RunReader> {
    return this.runs.open(run);
  }

  /** One statement that changes no raw row (lake progress, COPY), outside a transaction of its own making. */
  async run(sql: string, parameters: QueryParameters = {}): Promise<void> {
    await this.openEngine().pool.use((connection) => runOn(connection, sql, parameters));
  }

  /** Small statements that hold or fail together. */
  async runTogether(
    statements: readonly (readonly [sql: string, parameters: QueryParameters])[],
  ): Promise<void> {
    await this.openEngine().pool.use(async (connection) => {
      await runOn(connection, 'BEGIN TRANSACTION', {});
      try {
        for (const [sql, parameters] of statements) await runOn(connection, sql, parameters);
        await runOn(connection, 'COMMIT', {});
      } catch (error) {
        await connection.run('ROLLBACK').catch(() => undefined);
        throw error;
      }
    });
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    await this.turnstile.enter(() => Promise.resolve());
    this.isClosed = true;
    if (!this.isBroken) this.engine.close();
  }

  /** The last offset of a topic's partition that was taken in; -1 before the first. */
  private async progressOf(stream: Stream, topicPartition: number): Promise<bigint> {
    const [row] = await this.query(
      `SELECT last_offset FROM log_progress WHERE stream = $stream AND topic_partition = $topicPartition`,
      { stream, topicPartition },
      z.object({ last_offset: z.bigint() }),
    );
    return row?.last_offset ?? -1n;
  }

  private openEngine(): DuckdbEngine {
    if (this.isClosed) throw closedError();
    if (this.isBroken) throw brokenError();
    return this.engine;
  }

  private appendBulk(
    engine: DuckdbEngine,
    connection: DuckDBConnection,
    batch: BulkBatch,
  ): Promise<AppendReceipt> {
    return this.turnstile.enter(async () => {
      if (engine !== this.openEngine()) throw reopenedError();
      if (await this.findChunk(batch.chunk.chainDigest)) return NOTHING;
      const base = this.engine.nextOffset();
      return this.commit(connection, base, {
        isOneStatement: false,
        write: async (on) => {
          await appendBatch(on, base, batch);
          return writtenFrom(on, base);
        },
      });
    });
  }

  /** Called inside the turnstile. All or nothing: what an error leaves open is looked up. */
  private async commit(
    connection: DuckDBConnection,
    base: bigint,
    {
      write,
      isOneStatement,
    }: { write: (connection: DuckDBConnection) => Promise<Written>; isOneStatement: boolean },
  ): Promise<AppendReceipt> {
    let written: Written;
    try {
      if (!isOneStatement) await connection.run('BEGIN TRANSACTION');
      written = await write(connection);
      if (!isOneStatement) await connection.run('COMMIT');
    } catch (error) {
      await connection.run('ROLLBACK').catch(() => undefined);
      if (isFatal(error)) await this.reopen();
      // A commit that rewrites the file can fail after its rows are safe; "not appended" would then be a lie.
      const landed = await writtenFrom(this.engine.writer, base);
      if (landed.size === 0) throw warehouseError(error, 'append');
      written = landed;
    }
    for (const [stream, { last }] of written) this.engine.highest.set(stream, last);
    return receiptOf(written);
  }

  /** A failed checkpoint (a full disk) ends the engine's instance; the file is whole, so it is opened again. */
  private async reopen(): Promise<void> {
    if (!this.isBroken) this.engine.close();
    this.isBroken = true;
    this.runs.forget();
    this.engine = await DuckdbEngine.open(this.options);
    this.isBroken = false;
  }
}

/** What a transaction wrote, by stream. */
type Written = ReadonlyMap<Stream, OffsetRange>;

/** What stands at or above a transaction's base: all of it, or nothing. */
async function writtenFrom(connection: DuckDBConnection, base: bigint): Promise<Written> {
  const ranges = new Map<Stream, OffsetRange>();
  for (const stream of STREAMS) {
    const range = await offsetsFrom(connection, stream, base);
    if (range) ranges.set(stream, range);
  }
  return ranges;
}

function rangesOf(placed: readonly PlacedEvent[], base: bigint): Map<Stream, OffsetRange> {
  const ranges = new Map<Stream, OffsetRange>();
  for (const { event, ordinal } of placed) {
    const offset = base + ordinal;
    const { first, count } = ranges.get(event.stream) ?? { first: offset, count: 0n };
    ranges.set(event.stream, { first, last: offset, count: count + 1n });
  }
  return ranges;
}

function receiptOf(ranges: ReadonlyMap<Stream, OffsetRange>): AppendReceipt {
  let first: bigint | null = null;
  let last: bigint | null = null;
  let count = 0n;
  for (const range of ranges.values()) {
    if (first === null || range.first < first) first = range.first;
    if (last === null || range.last > last) last = range.last;
    count += range.count;
  }
  if (first === null || last === null) return NOTHING;
  return {
    count: Number(count),
    first: { partition: 0, offset: first },
    last: { partition: 0, offset: last },
  };
}
