import type { RawEvent, Stream } from '../../core/raw-event.js';
import type { AppendReceipt, IngestChunk, Queries, QueryParameters } from './warehouse.js';

/**
 * Rows that the engine read and checked itself. `sql` is a SELECT over the session's tables that yields, by name:
 * ordinal (BIGINT), source, id, type, subject, time (TIMESTAMP, UTC), data (JSON text), extra (VARCHAR or NULL);
 * identity and raw_hash are computed here, by the rule of core/identity.ts, unless the SELECT yields them.
 */
export interface SelectedRows {
  readonly stream: Stream;
  readonly sql: string;
}

/** A row that went through JavaScript, with its place among the engine's rows. */
export interface PlacedEvent {
  readonly ordinal: bigint;
  readonly event: RawEvent;
  /** When it was recorded, where that is not the time of the whole append. */
  readonly recordedAtMicros?: bigint;
}

/**
 * One stretch of a file. A row's log offset is the transaction's first offset plus its ordinal, so rows that the
 * engine took and rows that zod took keep the file's order. Ordinals are unique and lie in [0, ordinalSpan);
 * those not used leave gaps in the log, which nothing minds.
 */
export interface BulkBatch {
  readonly ordinalSpan: bigint;
  readonly selections: readonly SelectedRows[];
  readonly events: readonly PlacedEvent[];
  readonly chunk: IngestChunk;
  readonly recordedAtMicros: bigint;
}

/** A connection of its own. What it stages (temporary tables, file reads) blocks no other writer. */
export interface BulkSession extends Queries {
  /** Any statement, outside a transaction. Temporary tables live as long as the session. */
  run(sql: string, parameters?: QueryParameters): Promise<void>;
  /** One durable transaction of rows and file progress together, one writer at a time. */
  append(batch: BulkBatch): Promise<AppendReceipt>;
}

/** What an embedded warehouse offers files beyond `Warehouse`: the engine reads the bytes. */
export interface BulkWarehouse {
  bulk<Result>(work: (session: BulkSession) => Promise<Result>): Promise<Result>;
}
