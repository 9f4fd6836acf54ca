import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { STREAMS, type Stream } from '../../core/raw-event.js';
import { offsetsFrom, PreparedInserts } from './duckdb-append.js';
import { ConnectionPool } from './duckdb-connections.js';
import { warehouseError } from './duckdb-errors.js';
import { WAREHOUSE_TABLES } from './raw-tables.js';

export interface DuckdbOptions {
  readonly file: string;
  /** Where big sorts spill. */
  readonly temporaryDirectory: string;
  readonly memoryMib: number;
  readonly threads: number;
  /** Concurrent readers. DuckDB runs one statement per connection at a time. */
  readonly readConnections: number;
  /**
   * The log size at which a commit also rewrites the file. Rewriting stalls commits (16 MiB of log: 60 ms, 64 MiB:
   * 0.3 s), a long log delays the next start; in between, 64.
   */
  readonly checkpointMib: number;
}

/** One opening of the file: a fatal error of the engine ends it, and the warehouse opens the next. */
export class DuckdbEngine {
  private constructor(
    private readonly instance: DuckDBInstance,
    readonly writer: DuckDBConnection,
    /** On the writer. */
    readonly inserts: PreparedInserts,
    readonly pool: ConnectionPool,
    /** The highest committed offset of each stream. */
    readonly highest: Map<Stream, bigint>,
  ) {}

  static async open(options: DuckdbOptions): Promise<DuckdbEngine> {
    try {
      const instance = await DuckDBInstance.create(options.file, {
        threads: String(options.threads),
        memory_limit: `${options.memoryMib}MiB`,
        temp_directory: options.temporaryDirectory,
        checkpoint_threshold: `${options.checkpointMib}MiB`,
        // Memory that is free goes back to the machine: kept, it is a hundred MiB of a large ingest.
        allocator_flush_threshold: '16MiB',
        allocator_bulk_deallocation_flush_threshold: '32MiB',
        allocator_background_threads: 'true',
        // The raw tables' compression needs it; the default format is readable by engines years older than ours.
        storage_compatibility_version: 'v1.5.0',
        // Nothing is fetched from the network behind anybody's back.
        autoinstall_known_extensions: 'false',
        autoload_known_extensions: 'false',
      });
      const writer = await instance.connect();
      await writer.run(`SET GLOBAL TimeZone = 'UTC'`);
      for (const statement of WAREHOUSE_TABLES) await writer.run(statement);
      const highest = new Map<Stream, bigint>();
      for (const stream of STREAMS) {
        const range = await offsetsFrom(writer, stream, 0n);
        if (range) highest.set(stream, range.last);
      }
      return new DuckdbEngine(
        instance,
        writer,
        new PreparedInserts(writer),
        new ConnectionPool(instance, options.readConnections),
        highest,
      );
    } catch (error) {
      throw warehouseError(error, `warehouse ${options.file}`);
    }
  }

  /** The offset that the next transaction starts at. One that was rolled back leaves its offsets to the next. */
  nextOffset(): bigint {
    let next = 1n;
    for (const offset of this.highest.values()) if (offset >= next) next = offset + 1n;
    return next;
  }

  /** A connection outside the pool, for whoever keeps temporary tables. The caller closes it. */
  connect(): Promise<DuckDBConnection> {
    return this.instance.connect();
  }

  close(): void {
    this.pool.close();
    this.writer.closeSync();
    this.instance.closeSync();
  }
}
