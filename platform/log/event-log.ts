import type { RawEvent, Stream } from '../../core/raw-event.js';
import type { AppendReceipt } from '../warehouse/warehouse.js';

/**
 * Where accepted events become durable. Embedded, it is the warehouse itself; on Kafka, a topic per stream whose
 * consumer writes the warehouse.
 */
export interface EventLog {
  /**
   * Returns only when the events are durable, in the order given. `recordedAtMicros` is when they came. Embedded, requests written
   * together are recorded at the latest of theirs, and their positions order them; in topics, whose partitions have no order between
   * them, each message is recorded a microsecond or more after the one before it.
   *
   * @throws UnavailableError (retryable, with details.retryAfterSeconds) when the queue is full or the log can't
   *   be written. Where an answer got lost on the way, some may have been appended all the same: sent again, each counts once
   */
  append(events: readonly RawEvent[], options: { recordedAtMicros: bigint }): Promise<AppendReceipt>;
  /** Takes nothing more, and returns when everything taken is answered. */
  close(): Promise<void>;
}

/** Consecutive messages of one partition of one stream's topic. */
export interface LogMessages {
  readonly stream: Stream;
  readonly topic: string;
  /** The topic's own number of it. */
  readonly partition: number;
  /** The same as the warehouse keeps it, where no two generations of topics share one. */
  readonly topicPartition: number;
  readonly messages: readonly LogMessage[];
  /** The offset up to which (inclusive) these take care of the partition. */
  readonly lastOffset: bigint;
}

export interface LogMessage {
  readonly offset: bigint;
  readonly value: Buffer | null;
}

/** When it returns, the messages are taken care of for ever. It is called again with the same ones until then, and may be later. */
export type LogHandler = (messages: LogMessages) => Promise<void>;

export interface ConsumptionStatus {
  /**
   * `waiting`: something that it needs is away (the brokers, the warehouse), and it tries again. `refused`: going on would lose or
   * double events, and somebody must act on `lastError` and start again.
   */
  readonly state: 'starting' | 'running' | 'waiting' | 'refused' | 'stopped';
  /** What went wrong last; null while all is well. */
  readonly lastError: Error | null;
  /** Messages that retention took before they were read. */
  readonly lostMessages: bigint;
  /** Of the partitions that this process reads now. */
  readonly partitions: readonly PartitionStatus[];
}

export interface PartitionStatus {
  readonly stream: Stream;
  readonly partition: number;
  /** The offset that comes next; null until it is known. */
  readonly next: bigint | null;
  /** Messages that are not yet taken care of, as of the last fetch. */
  readonly lag: bigint | null;
}

/** Messages on their way from a log to a handler, until stopped. */
export interface Consumption {
  status(): ConsumptionStatus;
  /** Finishes the messages under way, says so to the log, and leaves the rest to others. */
  stop(): Promise<void>;
}
