import type { Batch, EachBatchPayload } from 'kafkajs';
import type { ConsumptionHealth } from './consumption-health.js';
import type { LogHandler, LogMessages } from './event-log.js';
import type { Assignment } from './kafka-assignment.js';
import { fetchedTopicId } from './kafka-fetched-ids.js';
import { slicesOf } from './kafka-slices.js';
import { Patience } from './patience.js';

const BEAT_EVERY_MS = 1_000;
/** One insert of the warehouse. */
const SLICE = { rows: 20_000, bytes: 16 << 20 };

export interface BatchRules {
  readonly handler: LogHandler;
  readonly health: ConsumptionHealth;
  readonly stopping: AbortSignal;
  /** Of a topic's partition: which stream's, and its number in the warehouse. */
  readonly placeOf: (topic: string, partition: number) => Pick<LogMessages, 'stream' | 'topicPartition'>;
  /** Of the topic that the warehouse was filled from; null on brokers that have no ids. */
  readonly topicIdOf: (topic: string) => string | null;
  readonly asKnown: (error: unknown) => Parameters<ConsumptionHealth['mustWait']>[0];
}

/**
 * Takes care of one fetched batch. It returns when the warehouse has it, however long that takes: meanwhile nothing more is fetched, and
 * the group hears that this member is alive.
 *
 * @param lookAgain called instead when the batch does not follow on what the warehouse has, or may be another topic's
 */
export async function takeBatch(
  payload: EachBatchPayload,
  assignment: Assignment,
  rules: BatchRules,
  lookAgain: () => void,
): Promise<void> {
  const { batch } = payload;
  const { topic, partition } = batch;
  const place = assignment.placeIn(topic, partition);
  // It was fetched before it was known where to go on. From there it will be fetched again.
  if (place === null) return;
  if (place !== fetchedOffset(batch) || fetchedTopicId(batch) !== rules.topicIdOf(topic)) {
    lookAgain();
    return;
  }
  assignment.sawEnd(topic, partition, BigInt(batch.highWatermark));
  const beating = new Beating(payload, assignment, rules);
  for (const slice of slicesOf(batch, SLICE)) {
    const messages = { ...rules.placeOf(topic, partition), topic, partition, ...slice };
    await beating.untilDone(() => rules.handler(messages));
    if (assignment.isOver) return;
    const next = slice.lastOffset + 1n;
    assignment.moveTo(topic, partition, next);
    payload.resolveOffset(slice.lastOffset.toString());
    await payload.commitOffsetsIfNecessary({
      topics: [{ topic, partitions: [{ partition, offset: next.toString() }] }],
    });
    if (!payload.isRunning()) return;
  }
}

/** What was asked for, not the first message that came: between the two there may be none. kafkajs has it, its types do not. */
function fetchedOffset(batch: Batch): bigint {
  return BigInt(String(Reflect.get(batch, 'fetchedOffset')));
}

class Beating {
  constructor(
    private readonly payload: EachBatchPayload,
    private readonly assignment: Assignment,
    private readonly rules: BatchRules,
  ) {}

  /** Tries for ever; ends early only when the group goes on without this member, or when it is to stop. */
  async untilDone(work: () => Promise<void>): Promise<void> {
    const { health, stopping, asKnown } = this.rules;
    const patience = new Patience(stopping);
    while (!this.assignment.isOver) {
      const failure = await this.during(work());
      if (failure === null) {
        health.isWell();
        return;
      }
      if (stopping.aborted) throw failure.error;
      health.mustWait(asKnown(failure.error));
      await this.during(patience.wait());
    }
  }

  /**
   * Says that this member is alive while it works. When the group has gone on without it, the work is still let end.
   *
   * @returns what was wrong with the work; throws what was wrong with a sign of life, for kafkajs to join the group again
   */
  private async during(work: Promise<void>): Promise<{ readonly error: unknown } | null> {
    const beats: { fault: { readonly error: unknown } | null } = { fault: null };
    const timer = setInterval(() => {
      this.payload.heartbeat().catch((error: unknown) => {
        beats.fault ??= { error };
      });
    }, BEAT_EVERY_MS);
    const failure = await work.then(
      () => null,
      (error: unknown) => ({ error }),
    );
    clearInterval(timer);
    // However the work ended, it is for the next member to go on from what the warehouse has.
    if (beats.fault !== null) throw beats.fault.error;
    return failure;
  }
}
