import { RefusedError } from '../../core/errors.js';
import type { Stream } from '../../core/raw-event.js';
import type { TopicProgress } from '../warehouse/warehouse.js';

/** Partitions of one generation, in what the warehouse keeps. */
export const PARTITIONS_PER_GENERATION = 1_000;

/** What a partition holds now: offsets from `low` up to, not including, `high`. */
export interface PartitionEnds {
  readonly stream: Stream;
  readonly topic: string;
  readonly partition: number;
  readonly low: bigint;
  readonly high: bigint;
}

/** Messages that retention removed before they were read. */
export interface LostMessages {
  readonly topic: string;
  readonly partition: number;
  readonly first: bigint;
  readonly count: bigint;
}

export interface Resume {
  /** Topic and partition → the offset to go on from. */
  readonly next: ReadonlyMap<string, bigint>;
  readonly lost: readonly LostMessages[];
}

/** Reading on would take the messages of these topics for others. Only a change of settings helps. */
export class OtherTopicsError extends RefusedError {
  constructor(what: string, generation: number) {
    super('invalid_config', `${what}. ${advice(generation)}`);
  }
}

export function partitionKey(topic: string, partition: number): string {
  return `${topic} ${partition}`;
}

export function storedPartition(partition: number, generation: number): number {
  return generation * PARTITIONS_PER_GENERATION + partition;
}

/**
 * Where to go on: behind what the warehouse has, whatever a consumer group has committed.
 *
 * @throws RefusedError when the warehouse has taken in more than the topics ever held: they are not the ones that it came from, and
 *   their messages would be taken for others that have their places
 */
export function resumeFrom(
  ends: readonly PartitionEnds[],
  progress: readonly TopicProgress[],
  generation: number,
): Resume {
  const taken = new Map(
    progress.map(({ stream, topicPartition, lastOffset }) => [`${stream} ${topicPartition}`, lastOffset]),
  );
  const next = new Map<string, bigint>();
  const lost: LostMessages[] = [];
  for (const { stream, topic, partition, low, high } of ends) {
    const last = taken.get(`${stream} ${storedPartition(partition, generation)}`);
    const wanted = last === undefined ? low : last + 1n;
    if (wanted > high) throw madeAnew(topic, partition, wanted, high, generation);
    if (wanted < low) lost.push({ topic, partition, first: wanted, count: low - wanted });
    next.set(partitionKey(topic, partition), wanted < low ? low : wanted);
  }
  requireAllPartitions(ends, progress, generation);
  return { next, lost };
}

export interface PartitionLag {
  readonly stream: Stream;
  readonly partition: number;
  /** Messages that the warehouse has not taken in yet. */
  readonly lag: bigint;
}

/** How far the warehouse is behind the topics, whoever fills it. */
export function lagsOf(
  ends: readonly PartitionEnds[],
  progress: readonly TopicProgress[],
  generation: number,
): PartitionLag[] {
  return ends.map(({ stream, partition, low, high }) => {
    const stored = storedPartition(partition, generation);
    const taken = progress.find((one) => one.stream === stream && one.topicPartition === stored);
    const next = taken === undefined || taken.lastOffset < low ? low : taken.lastOffset + 1n;
    return { stream, partition, lag: high > next ? high - next : 0n };
  });
}

function requireAllPartitions(
  ends: readonly PartitionEnds[],
  progress: readonly TopicProgress[],
  generation: number,
): void {
  const there = new Set(
    ends.map(({ stream, partition }) => `${stream} ${storedPartition(partition, generation)}`),
  );
  const first = storedPartition(0, generation);
  for (const { stream, topicPartition, lastOffset } of progress) {
    const isOfGeneration = topicPartition >= first && topicPartition < first + PARTITIONS_PER_GENERATION;
    if (!isOfGeneration || there.has(`${stream} ${topicPartition}`)) continue;
    const topic = ends.find((end) => end.stream === stream)?.topic ?? stream;
    throw madeAnew(topic, topicPartition - first, lastOffset + 1n, 0n, generation);
  }
}

function madeAnew(
  topic: string,
  partition: number,
  wanted: bigint,
  high: bigint,
  generation: number,
): OtherTopicsError {
  const what = `topic ${topic}, partition ${partition}: the warehouse has what comes before ${wanted}, and the topic ends at ${high}`;
  return new OtherTopicsError(what, generation);
}

function advice(generation: number): string {
  return (
    'These are not the topics that it was filled from, so nothing is read from them. Was KAFKA_BROKERS or HEADGATE_KAFKA_TOPIC_PREFIX ' +
    'changed? Put it back. Were the topics made anew on purpose, after all that was in the old ones had been taken in? Set ' +
    `HEADGATE_KAFKA_GENERATION=${generation + 1} in every process, and start again`
  );
}
