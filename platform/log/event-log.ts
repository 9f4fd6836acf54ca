import type { RawEvent } from '../../core/raw-event.js';
import type { AppendReceipt } from '../warehouse/warehouse.js';

/**
 * Where accepted events become durable. Embedded, it is the warehouse itself; on Kafka, a topic per stream whose
 * consumer writes the warehouse.
 */
export interface EventLog {
  /**
   * Returns only when the events are durable, in the order given. `recordedAtMicros` is when they came; requests
   * written together are recorded at the latest of theirs.
   *
   * @throws UnavailableError (retryable, with details.retryAfterSeconds) when the queue is full or the log can't
   *   be written. Where an answer got lost on the way, some may have been appended all the same: sent again, each counts once
   */
  append(events: readonly RawEvent[], options: { recordedAtMicros: bigint }): Promise<AppendReceipt>;
  /** Takes nothing more, and returns when everything taken is answered. */
  close(): Promise<void>;
}
