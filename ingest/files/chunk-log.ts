import type { RawEvent } from '../../core/raw-event.js';
import type { EventLog } from '../../platform/log/event-log.js';
import type { IngestChunk, Warehouse } from '../../platform/warehouse/warehouse.js';

/** Where a stretch of a file becomes durable: its events first, then the note that it has been taken in. */
export interface ChunkLog {
  /**
   * A process that dies in between leaves a stretch that is taken in again: each event counts once by its identity.
   *
   * @throws as `EventLog.append`
   */
  append(events: readonly RawEvent[], chunk: IngestChunk, recordedAtMicros: bigint): Promise<void>;
}

/** A log of ours waits for so many at once without refusing what others send meanwhile. */
const EVENTS_AT_ONCE = 5_000;

/** The warehouse is the log: both in one go. */
export function directChunkLog(warehouse: Pick<Warehouse, 'append'>): ChunkLog {
  return {
    append: async (events, chunk, recordedAtMicros) => {
      await warehouse.append(events, { recordedAtMicros, chunk });
    },
  };
}

/** Through a log whose consumer fills the warehouse. */
export function loggedChunkLog(log: EventLog, warehouse: Pick<Warehouse, 'recordChunk'>): ChunkLog {
  return {
    append: async (events, chunk, recordedAtMicros) => {
      for (let start = 0; start < events.length; start += EVENTS_AT_ONCE) {
        await log.append(events.slice(start, start + EVENTS_AT_ONCE), { recordedAtMicros });
      }
      await warehouse.recordChunk(chunk, recordedAtMicros);
    },
  };
}
