/** The four streams; each is one Kafka topic (`headgate.<stream>`) and one raw table. */
export const STREAMS = ['executions', 'installs', 'billing', 'crm'] as const;
export type Stream = (typeof STREAMS)[number];

/**
 * An event that passed its schema and had its personal data tokenised: what enters log, warehouse and lake.
 * The shape is the same on both engines; the raw table adds `log_partition`, `log_offset` and `recorded_at`.
 */
export interface RawEvent {
  readonly stream: Stream;
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  /** When it happened: microseconds since the epoch, UTC. */
  readonly timeMicros: bigint;
  /** `data` as minified JSON text, key order as sent, numbers that a float would bend as decimal strings. */
  readonly data: string;
  /** Unknown envelope attributes as JSON text; null when there are none. Not part of an event's content. */
  readonly extra: string | null;
}

/** The log partition that Headgate writes by itself, without Kafka. */
export const OWN_PARTITION = 0;

/**
 * Where log partitions of Kafka's topics begin among log partitions: a topic's partition 3 is 1003. Below are those that Headgate writes
 * by itself: 0 when embedded, and what was copied from there stands before everything that came later.
 */
export const FIRST_TOPIC_PARTITION = 1000;

/** Where a row stands in the log: embedded, partition 0 and one ascending sequence over all streams. */
export interface LogPosition {
  readonly partition: number;
  readonly offset: bigint;
}

/** Per stream and partition, the highest position that counts (inclusive). A run is bound to one. */
export type WatermarkVector = Readonly<Record<Stream, readonly LogPosition[]>>;

/** A watermark as JSON, as models read it too: `{"billing": [[partition, offset], …], …}`; offsets stay below 2^48. */
export function watermarkJson(watermark: WatermarkVector): Record<string, [number, number][]> {
  return Object.fromEntries(
    STREAMS.map((stream) => [
      stream,
      watermark[stream].map(({ partition, offset }): [number, number] => [partition, Number(offset)]),
    ]),
  );
}
