import { UnavailableError } from '../../core/errors.js';
import { partitionKey, type PartitionEnds, type Resume } from './kafka-resume.js';

export interface Look extends Resume {
  readonly ends: readonly PartitionEnds[];
}

export interface AssignedPartition {
  readonly topic: string;
  readonly partition: number;
}

interface Stretch extends AssignedPartition {
  readonly firstOffset: string;
  readonly lastOffset: string;
}

/** Where the partitions stand that a member of a group was given. There is a new one whenever the group shares them out again. */
export class Assignment {
  /** The partitions may be others' by now: whoever still works on them is to leave them. */
  isOver = false;
  private readonly next = new Map<string, bigint>();
  private readonly ends = new Map<string, bigint>();

  constructor(readonly partitions: readonly AssignedPartition[]) {}

  /** The offset to go on from, by what the warehouse has; null until somebody has looked. */
  placeIn(topic: string, partition: number): bigint | null {
    return this.next.get(partitionKey(topic, partition)) ?? null;
  }

  forget(partitions: readonly AssignedPartition[]): void {
    for (const { topic, partition } of partitions) this.next.delete(partitionKey(topic, partition));
  }

  /**
   * Takes the places of these from what was seen. Others have moved on since.
   *
   * @throws UnavailableError when one was not seen: the broker that was asked did not know of it yet
   */
  take(look: Look, partitions: readonly AssignedPartition[]): void {
    const places = partitions.map(({ topic, partition }) => {
      const key = partitionKey(topic, partition);
      const offset = look.next.get(key);
      if (offset !== undefined) return [key, offset] as const;
      throw new UnavailableError(
        'log_unavailable',
        `kafka consumer: topic ${topic} has no partition ${partition} yet`,
      );
    });
    for (const [key, offset] of places) this.next.set(key, offset);
    for (const { topic, partition, high } of look.ends) this.sawEnd(topic, partition, high);
  }

  moveTo(topic: string, partition: number, next: bigint): void {
    this.next.set(partitionKey(topic, partition), next);
  }

  sawEnd(topic: string, partition: number, end: bigint): void {
    this.ends.set(partitionKey(topic, partition), end);
  }

  /** A stretch in which no message was for us. It counts only where it follows on what was taken care of. */
  passOver({ topic, partition, firstOffset, lastOffset }: Stretch): void {
    const key = partitionKey(topic, partition);
    if (this.next.get(key)?.toString() === firstOffset) this.next.set(key, BigInt(lastOffset) + 1n);
  }

  stateOf(topic: string, partition: number): { readonly next: bigint | null; readonly lag: bigint | null } {
    const key = partitionKey(topic, partition);
    const [end, next = null] = [this.ends.get(key), this.next.get(key)];
    const lag = end === undefined || next === null ? null : end > next ? end - next : 0n;
    return { next, lag };
  }
}
