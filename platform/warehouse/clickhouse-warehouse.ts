import { z } from 'zod';
import {
  FIRST_TOPIC_PARTITION,
  STREAMS,
  type RawEvent,
  type Stream,
  type WatermarkVector,
} from '../../core/raw-event.js';
import type { ClickHouseConfig } from '../config.js';
import { insertChunk, insertProgress, insertRows, OwnLog } from './clickhouse-append.js';
import { ClickHouseConnection } from './clickhouse-connection.js';
import { checkServer, migrateClickHouse, warehouseIdentity } from './clickhouse-migrations.js';
import { ClickHouseRuns } from './clickhouse-runs.js';
import { clickHouseTarget, rawRowsRelation } from './clickhouse-target.js';
import { ClickHouseUserSql } from './clickhouse-user-sql.js';
import { closedError } from './duckdb-connections.js';
import { rawTable } from './raw-tables.js';
import type { UserSql, UserSqlLimits } from './user-sql.js';
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
const ProgressRow = z.object({ stream: z.enum(STREAMS), log_partition: z.number(), last_offset: z.bigint() });

/**
 * Connects, and brings the schema to this version.
 *
 * @throws InputError `invalid_config` naming the setting that is wrong; RefusedError `data_directory_newer`; UnavailableError
 */
export async function openClickHouseWarehouse(config: ClickHouseConfig): Promise<ClickHouseWarehouse> {
  const target = clickHouseTarget(config.url);
  const server = new ClickHouseConnection(target, config, 'system');
  const connection = new ClickHouseConnection(target, config);
  try {
    await checkServer(server);
    await migrateClickHouse(server, connection);
    return new ClickHouseWarehouse(connection, config, await warehouseIdentity(connection));
  } catch (error) {
    await connection.close();
    throw error;
  } finally {
    await server.close();
  }
}

/** Raw tables and runs on a ClickHouse server. Any number of processes may have it open. */
export class ClickHouseWarehouse implements Warehouse {
  readonly dialect = 'clickhouse';
  private ownLog: OwnLog;
  private readonly runs: ClickHouseRuns;
  private isClosed = false;

  constructor(
    private readonly connection: ClickHouseConnection,
    private readonly config: ClickHouseConfig,
    private readonly identity: string,
  ) {
    this.ownLog = new OwnLog(connection);
    this.runs = new ClickHouseRuns(connection);
  }

  /** The same for every process, and after a backup was restored elsewhere. */
  warehouseId(): string {
    return this.identity;
  }

  async append(
    events: readonly RawEvent[],
    { recordedAtMicros, chunk }: { recordedAtMicros: bigint; chunk?: IngestChunk },
  ): Promise<AppendReceipt> {
    if (this.isClosed) throw closedError();
    if (events.length === 0 && !chunk) return NOTHING;
    const isTakenIn = async (): Promise<boolean> =>
      chunk !== undefined && (await this.findChunk(chunk.chainDigest)) !== null;
    return (await this.ownLog.append(events, recordedAtMicros, { chunk, isTakenIn })) ?? NOTHING;
  }

  async appendFromLog({ stream, topicPartition, events, lastOffset }: LogBatch): Promise<void> {
    const partition = FIRST_TOPIC_PARTITION + topicPartition;
    await insertRows(
      this.connection,
      stream,
      events.map(({ offset, event, recordedAtMicros }) => ({ partition, offset, recordedAtMicros, event })),
    );
    const recordedAtMicros = events.at(-1)?.recordedAtMicros ?? 0n;
    await insertProgress(this.connection, [{ stream, partition, lastOffset, recordedAtMicros }]);
  }

  async topicProgress(): Promise<TopicProgress[]> {
    const positions = await this.positions();
    return STREAMS.flatMap((stream) =>
      positions[stream]
        .filter(({ partition }) => partition >= FIRST_TOPIC_PARTITION)
        .map(({ partition, offset }) => ({
          stream,
          topicPartition: partition - FIRST_TOPIC_PARTITION,
          lastOffset: offset,
        })),
    );
  }

  async recordChunk(chunk: IngestChunk, recordedAtMicros: bigint): Promise<void> {
    if ((await this.findChunk(chunk.chainDigest)) !== null) return;
    await insertChunk(this.connection, chunk, recordedAtMicros);
  }

  async findChunk(chainDigest: string): Promise<IngestChunk | null> {
    const [row] = await this.query(
      'SELECT source_name, offset_bytes, rows FROM ingest_chunks WHERE chain_digest = $chainDigest LIMIT 1',
      { chainDigest },
      ChunkRow,
    );
    if (!row) return null;
    return { chainDigest, sourceName: row.source_name, offsetBytes: row.offset_bytes, rows: row.rows };
  }

  /** Where this process has become the one that writes without a log between: offsets go on above everybody's. */
  beginWriting(): void {
    this.ownLog = new OwnLog(this.connection);
  }

  query<Row>(sql: string, parameters: QueryParameters, rowSchema: RowSchema<Row>): Promise<Row[]> {
    return this.connection.query(sql, parameters, rowSchema);
  }

  stream<Row>(sql: string, parameters: QueryParameters, rowSchema: RowSchema<Row>): AsyncIterable<Row[]> {
    return this.connection.stream(sql, parameters, rowSchema);
  }

  rawRows(stream: Stream): string {
    return rawRowsRelation(this.connection.target.database, stream);
  }

  /** Rows that were a raw table's elsewhere, with their positions. They count once `noteProgress` says so. */
  insertParquet(stream: Stream, file: string): Promise<void> {
    return this.connection.insertParquet(rawTable(stream), file);
  }

  /** Everything of a log's partition up to here is there. */
  noteProgress(stream: Stream, partition: number, lastOffset: bigint, now: bigint): Promise<void> {
    return insertProgress(this.connection, [{ stream, partition, lastOffset, recordedAtMicros: now }]);
  }

  async positions(): Promise<WatermarkVector> {
    const rows = await this.query(
      `SELECT stream, log_partition, max(last_offset) AS last_offset FROM log_progress
       GROUP BY stream, log_partition ORDER BY stream, log_partition`,
      {},
      ProgressRow,
    );
    const of = (stream: Stream) =>
      rows
        .filter((row) => row.stream === stream)
        .map(({ log_partition: partition, last_offset: offset }) => ({ partition, offset }));
    return {
      executions: of('executions'),
      installs: of('installs'),
      billing: of('billing'),
      crm: of('crm'),
    };
  }

  openRun(run: RunLocation): Promise<RunReader> {
    return this.runs.open(run);
  }

  /** SQL that people send, over this warehouse's runs. */
  userSql(limits: UserSqlLimits): UserSql {
    return new ClickHouseUserSql(this.connection, this.runs, this.config, limits);
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await this.ownLog.close();
    await this.connection.close();
  }
}
