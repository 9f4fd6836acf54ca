import type { DuckDBConnection } from '@duckdb/node-api';
import { z } from 'zod';
import type { RawEvent, Stream, WatermarkVector } from '../../core/raw-event.js';
import type { LakeFiles } from '../lake-files.js';
import type { BulkBatch, BulkSession, BulkWarehouse, PlacedEvent } from './bulk-warehouse.js';
import {
  appendBatch,
  appendRows,
  offsetsFrom,
  placedInOrder,
  recordChunk,
  type OffsetRange,
} from './duckdb-append.js';
import { brokenError, closedError, queryOn, reopenedError, runOn, streamOn } from './duckdb-connections.js';
import { DuckdbEngine, type DuckdbOptions } from './duckdb-engine.js';
import { isFatal, warehouseError } from './duckdb-errors.js';
import { AttachedRuns } from './duckdb-runs.js';
import { Turnstile } from './turnstile.js';
import type {
  AppendReceipt,
  IngestChunk,
  QueryParameters,
  RowSchema,
  RunLocation,
  RunReader,
  Warehouse,
} from './warehouse.js';

const NOTHING: AppendReceipt = { count: 0, first: null, last: null };
const ChunkRow = z.object({ source_name: z.string(), offset_bytes: z.bigint(), rows: z.bigint() });

/**
 * One DuckDB file that this process alone has open. One writer at a time: offsets become visible in ascending order,
 * so a watermark can be a single number.
 */
export class DuckdbWarehouse implements Warehouse, BulkWarehouse {
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
      return this.commit(this.openEngine().writer, async (connection, base) => {
        await appendRows(connection, base, placed, recordedAtMicros);
        if (chunk) await recordChunk(connection, chunk, recordedAtMicros);
        return { count: BigInt(placed.length), ranges: rangesOf(placed, base) };
      });
    });
  }

  async bulk<Result>(work: (session: BulkSession) => Promise<Result>): Promise<Result> {
    const engine = this.openEngine();
    const connection = await engine.connect();
    const session: BulkSession = {
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
    const streams = new Set([
      ...batch.selections.map((selection) => selection.stream),
      ...batch.events.map(({ event }) => event.stream),
    ]);
    return this.turnstile.enter(async () => {
      if (engine !== this.openEngine()) throw reopenedError();
      if (await this.findChunk(batch.chunk.chainDigest)) return NOTHING;
      return this.commit(connection, async (on, base) => {
        const count = await appendBatch(on, base, batch);
        const ranges = new Map<Stream, OffsetRange>();
        for (const stream of streams) {
          const range = await offsetsFrom(on, stream, base);
          if (range) ranges.set(stream, range);
        }
        return { count, ranges };
      });
    });
  }

  /** Called inside the turnstile. All or nothing: what an error leaves open is looked up. */
  private async commit(
    connection: DuckDBConnection,
    write: (connection: DuckDBConnection, baseOffset: bigint) => Promise<Written>,
  ): Promise<AppendReceipt> {
    const base = this.engine.nextOffset();
    let written: Written = { count: 0n, ranges: new Map() };
    try {
      await connection.run('BEGIN TRANSACTION');
      written = await write(connection, base);
      await connection.run('COMMIT');
    } catch (error) {
      await connection.run('ROLLBACK').catch(() => undefined);
      if (isFatal(error)) await this.reopen();
      // A commit that rewrites the file can fail after its rows are safe; "not appended" would then be a lie.
      if (!(await this.hasRowsOf(written))) throw warehouseError(error, 'append');
    }
    for (const [stream, { last }] of written.ranges) this.engine.highest.set(stream, last);
    return receiptOf(written);
  }

  private async hasRowsOf({ ranges }: Written): Promise<boolean> {
    for (const [stream, { first }] of ranges)
      return (await offsetsFrom(this.engine.writer, stream, first)) !== null;
    return false;
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
interface Written {
  readonly count: bigint;
  readonly ranges: ReadonlyMap<Stream, OffsetRange>;
}

function rangesOf(placed: readonly PlacedEvent[], base: bigint): Map<Stream, OffsetRange> {
  const ranges = new Map<Stream, OffsetRange>();
  for (const { event, ordinal } of placed) {
    const offset = base + ordinal;
    ranges.set(event.stream, { first: ranges.get(event.stream)?.first ?? offset, last: offset });
  }
  return ranges;
}

function receiptOf({ count, ranges }: Written): AppendReceipt {
  let whole: OffsetRange | null = null;
  for (const range of ranges.values()) {
    whole = {
      first: whole && whole.first < range.first ? whole.first : range.first,
      last: whole && whole.last > range.last ? whole.last : range.last,
    };
  }
  if (!whole) return NOTHING;
  return {
    count: Number(count),
    first: { partition: 0, offset: whole.first },
    last: { partition: 0, offset: whole.last },
  };
}
