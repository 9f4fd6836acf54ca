import { partitionKey, type PartitionEnds, type Resume } from './kafka-resume.js';

export interface Look extends Resume {
  readonly ends: readonly PartitionEnds[];
}

interface Stretch {
  readonly topic: string;
  readonly partition: number;
  readonly firstOffset: string;
  readonly lastOffset: string;
}

/** Where the partitions stand that a member of a group was given. There is a new one whenever the group shares them out again. */
export class Assignment {
  private readonly next = new Map<string, bigint>();
  private readonly ends = new Map<string, bigint>();
  private looking: Promise<void> | null = null;

  constructor(
    readonly partitions: readonly { readonly topic: string; readonly partition: number }[],
    private readonly look: () => Promise<Look>,
  ) {}

  /** The offset to go on from, by what the warehouse has. */
  async positionOf(topic: string, partition: number): Promise<bigint> {
    const key = partitionKey(topic, partition);
    if (!this.next.has(key)) await this.lookOnce();
    return this.next.get(key) ?? 0n;
  }

  /** Asks the warehouse and the topics again. */
  async lookAgain(topic: string, partition: number): Promise<bigint> {
    this.next.delete(partitionKey(topic, partition));
    return await this.positionOf(topic, partition);
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

  private async lookOnce(): Promise<void> {
    this.looking ??= this.fill();
    try {
      await this.looking;
    } finally {
      this.looking = null;
    }
  }

  private async fill(): Promise<void> {
    const { next, ends } = await this.look();
    // What is known already has moved on since.
    for (const [key, offset] of next) if (!this.next.has(key)) this.next.set(key, offset);
    for (const { topic, partition, high } of ends) this.sawEnd(topic, partition, high);
  }
}
