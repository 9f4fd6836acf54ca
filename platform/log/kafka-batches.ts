import { setTimeout as delay } from 'node:timers/promises';
import type { Batch, EachBatchPayload } from 'kafkajs';
import type { ConsumptionHealth } from './consumption-health.js';
import type { LogHandler, LogMessages } from './event-log.js';
import type { Assignment } from './kafka-assignment.js';
import { OtherTopicsError } from './kafka-resume.js';
import { slicesOf } from './kafka-slices.js';

const BEAT_EVERY_MS = 1_000;
const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 10_000;
/** One insert of the warehouse. */
const SLICE = { rows: 20_000, bytes: 16 << 20 };

export interface BatchRules {
  readonly handler: LogHandler;
  readonly health: ConsumptionHealth;
  readonly stopping: AbortSignal;
  /** Of a topic's partition: which stream's, and its number in the warehouse. */
  readonly placeOf: (topic: string, partition: number) => Pick<LogMessages, 'stream' | 'topicPartition'>;
  readonly seek: (topic: string, partition: number, offset: bigint) => void;
  readonly asKnown: (error: unknown) => Parameters<ConsumptionHealth['mustWait']>[0];
  readonly refuse: (error: OtherTopicsError) => void;
}

/** The group's coordinator does not know this member any more. kafkajs is to hear of it once the work under way is over. */
class BeatFailed extends Error {
  constructor(readonly fault: unknown) {
    super('a heartbeat failed');
  }
}

/**
 * Takes care of one fetched batch. It returns when the warehouse has it, however long that takes: meanwhile nothing more is fetched, and
 * the group hears that this member is alive.
 */
export async function takeBatch(
  payload: EachBatchPayload,
  assignment: Assignment,
  rules: BatchRules,
): Promise<void> {
  const { batch } = payload;
  const { topic, partition } = batch;
  assignment.sawEnd(topic, partition, BigInt(batch.highWatermark));
  const beating = new Beating(payload, rules);
  const expected = await beating.untilDone(() => expectedOffset(batch, assignment));
  if (expected !== fetchedOffset(batch)) {
    rules.seek(topic, partition, expected);
    return;
  }
  for (const slice of slicesOf(batch, SLICE)) {
    const messages = { ...rules.placeOf(topic, partition), topic, partition, ...slice };
    await beating.untilDone(() => rules.handler(messages));
    const next = slice.lastOffset + 1n;
    assignment.moveTo(topic, partition, next);
    payload.resolveOffset(slice.lastOffset.toString());
    await payload.commitOffsetsIfNecessary({
      topics: [{ topic, partitions: [{ partition, offset: next.toString() }] }],
    });
    if (!payload.isRunning()) return;
  }
}

/** Where this batch should begin. When it does not, offsets were lost or reset, or the topic is another one: that is looked at anew. */
async function expectedOffset(batch: Batch, assignment: Assignment): Promise<bigint> {
  const { topic, partition } = batch;
  const expected = await assignment.positionOf(topic, partition);
  return expected === fetchedOffset(batch) ? expected : await assignment.lookAgain(topic, partition);
}

/** What was asked for, not the first message that came: between the two there may be none. kafkajs has it, its types do not. */
function fetchedOffset(batch: Batch): bigint {
  return BigInt(String(Reflect.get(batch, 'fetchedOffset')));
}

class Beating {
  constructor(
    private readonly payload: EachBatchPayload,
    private readonly rules: BatchRules,
  ) {}

  /** Tries for ever; ends early only when the group goes on without this member, or when it is to stop. */
  async untilDone<Result>(work: () => Promise<Result>): Promise<Result> {
    const { health, stopping, asKnown, refuse } = this.rules;
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS)) {
      try {
        const result = await this.during(work());
        health.isWell();
        return result;
      } catch (error) {
        if (error instanceof BeatFailed) throw error.fault;
        if (error instanceof OtherTopicsError) refuse(error);
        if (error instanceof OtherTopicsError || stopping.aborted) throw error;
        health.mustWait(asKnown(error));
        await this.during(delay(retryMs, undefined, { signal: stopping })).catch(rethrowBeat);
      }
    }
  }

  /** Says that this member is alive while it works. When the group has gone on without it, the work is still let end. */
  private async during<Result>(work: Promise<Result>): Promise<Result> {
    const beats: { failed: BeatFailed | null } = { failed: null };
    const timer = setInterval(() => {
      this.payload.heartbeat().catch((fault: unknown) => {
        beats.failed ??= new BeatFailed(fault);
      });
    }, BEAT_EVERY_MS);
    await work.catch(() => undefined);
    clearInterval(timer);
    // However the work ended, it is for the next member to go on from what the warehouse has.
    if (beats.failed !== null) throw beats.failed;
    return work;
  }
}

/** That the wait was cut short is no error. */
function rethrowBeat(error: unknown): void {
  if (error instanceof BeatFailed) throw error.fault;
}
