import type { Consumer, EachBatchPayload } from 'kafkajs';
import { Assignment, type AssignedPartition, type Look } from './kafka-assignment.js';
import { takeBatch, type BatchRules } from './kafka-batches.js';
import { OtherTopicsError } from './kafka-resume.js';
import { Patience } from './patience.js';

/** While one batch is in the warehouse's hands, the next is made ready. */
const BATCHES_AT_ONCE = 2;

export interface MembershipRules extends BatchRules {
  /** What the topics hold, and where to go on in them. */
  readonly look: () => Promise<Look>;
}

/** One membership of the consumer group, until it breaks or is ended. */
export class Membership {
  assignment = new Assignment([]);
  private readonly inHand = new Set<Promise<void>>();
  private readonly ended: Promise<Error | null>;
  private settle: (error: Error | null) => void = () => undefined;

  constructor(
    private readonly consumer: Consumer,
    private readonly rules: MembershipRules,
  ) {
    this.ended = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  /** Reads until ended. The batches in hand are finished before it returns. */
  async read(topics: string[]): Promise<void> {
    const { consumer } = this;
    this.listen();
    try {
      await consumer.connect();
      await consumer.subscribe({ topics, fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: BATCHES_AT_ONCE,
        eachBatch: (payload) => this.take(payload),
      });
      const error = await this.ended;
      if (error !== null) throw error;
    } finally {
      await consumer.disconnect().catch(() => undefined);
      this.assignment.isOver = true;
    }
  }

  /** @param error why; null when nothing is wrong */
  end(error: Error | null): void {
    this.settle(error);
  }

  private listen(): void {
    const { consumer } = this;
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      this.end(payload.error);
    });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      const partitions = Object.entries(payload.memberAssignment).flatMap(([topic, numbers]) =>
        numbers.map((partition) => ({ topic, partition })),
      );
      this.assignment.isOver = true;
      this.assignment = new Assignment(partitions);
      // Where several brokers are fetched from, one may bring the group to share out again while batches of another are in hand.
      void this.findPlaces(partitions, Promise.allSettled([...this.inHand]));
    });
    // A stretch without a message for us (marks of somebody's transaction): kafkajs passes it over by itself.
    consumer.on(consumer.events.START_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize === 0) this.assignment.passOver(payload);
    });
  }

  private async take(payload: EachBatchPayload): Promise<void> {
    const { topic, partition } = payload.batch;
    const taking = takeBatch(payload, this.assignment, this.rules, () => {
      // Not at once: what the brokers do not agree on yet would be asked for without a pause.
      void this.findPlaces([{ topic, partition }], new Patience(this.rules.stopping).wait());
    });
    this.inHand.add(taking);
    try {
      await taking;
    } finally {
      this.inHand.delete(taking);
    }
  }

  /**
   * Lets partitions rest until it is known where to go on in them. kafkajs alone would begin at the offsets that the group committed, and
   * where these are at the end of what there is, no batch would ever come to show that they are wrong. Before the first wait here,
   * nothing has been fetched yet.
   */
  private async findPlaces(
    partitions: readonly AssignedPartition[],
    isTime: Promise<unknown>,
  ): Promise<void> {
    const { assignment, consumer } = this;
    const resting = partitions.map(({ topic, partition }) => ({ topic, partitions: [partition] }));
    try {
      assignment.forget(partitions);
      consumer.pause(resting);
      await isTime;
      await this.lookFor(partitions, assignment);
      if (assignment.isOver || this.rules.stopping.aborted) return;
      for (const { topic, partition } of partitions) {
        consumer.seek({ topic, partition, offset: String(assignment.placeIn(topic, partition)) });
      }
      consumer.resume(resting);
      this.rules.health.isWell();
    } catch (error) {
      this.end(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Tries until the places are known, the partitions are shared out again or all is to stop. */
  private async lookFor(partitions: readonly AssignedPartition[], assignment: Assignment): Promise<void> {
    const { look, health, asKnown, stopping } = this.rules;
    const patience = new Patience(stopping);
    while (!assignment.isOver && !stopping.aborted) {
      try {
        assignment.take(await look(), partitions);
        return;
      } catch (error) {
        if (error instanceof OtherTopicsError) throw error;
        health.mustWait(asKnown(error));
        await patience.wait();
      }
    }
  }
}
