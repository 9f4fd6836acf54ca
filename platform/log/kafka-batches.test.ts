import { setTimeout as delay } from 'node:timers/promises';
import type { EachBatchPayload, KafkaMessage } from 'kafkajs';
import { pino } from 'pino';
import { beforeEach, expect, test } from 'vitest';
import { UnavailableError } from '../../core/errors.js';
import { ConsumptionHealth } from './consumption-health.js';
import type { LogHandler } from './event-log.js';
import { Assignment } from './kafka-assignment.js';
import { takeBatch, type BatchRules } from './kafka-batches.js';

const TOPIC = 'headgate.crm';
const PARTITION = { topic: TOPIC, partition: 0 };

let said: string[];
let assignment: Assignment;
let stopping: AbortController;
beforeEach(() => {
  said = [];
  assignment = new Assignment([PARTITION]);
  stopping = new AbortController();
});

/** A batch as kafkajs hands it over, that was asked for from this offset on. Its brokers have no topic ids. */
function fetched(
  from: number,
  count: number,
  heartbeat = (): Promise<void> => Promise.resolve(),
): EachBatchPayload {
  const message = (offset: number): KafkaMessage => ({
    ...{
      key: null,
      value: Buffer.from('x'),
      timestamp: '0',
      attributes: 0,
      offset: String(offset),
      headers: {},
    },
  });
  const last = String(from + count - 1);
  const batch = {
    ...PARTITION,
    fetchedOffset: String(from),
    highWatermark: String(from + count),
    messages: Array.from({ length: count }, (_, index) => message(from + index)),
    isEmpty: () => false,
    firstOffset: () => String(from),
    lastOffset: () => last,
    offsetLag: () => '0',
    offsetLagLow: () => '0',
  };
  return {
    batch,
    heartbeat,
    resolveOffset: (offset) => said.push(`resolved ${offset}`),
    commitOffsetsIfNecessary: (offsets) => {
      said.push(`committed ${offsets?.topics[0]?.partitions[0]?.offset ?? ''}`);
      return Promise.resolve();
    },
    pause: () => () => undefined,
    uncommittedOffsets: () => ({ topics: [] }),
    isRunning: () => !stopping.signal.aborted,
    isStale: () => false,
  };
}

function take(payload: EachBatchPayload, handler: LogHandler, topicId: string | null = null): Promise<void> {
  const rules: BatchRules = {
    handler: async (messages) => {
      said.push(`took ${messages.messages.length} to ${messages.lastOffset}`);
      await handler(messages);
    },
    health: new ConsumptionHealth(pino({ level: 'silent' })),
    stopping: stopping.signal,
    placeOf: () => ({ stream: 'crm', topicPartition: 0 }),
    topicIdOf: () => topicId,
    asKnown: () => new UnavailableError('warehouse_unavailable', 'away'),
  };
  return takeBatch(payload, assignment, rules, () => said.push('looked again'));
}
const done: LogHandler = () => Promise.resolve();
const fails: LogHandler = () => Promise.reject(new Error('away'));

test('a batch that follows on is handed on, and said to be taken care of only then', async () => {
  assignment.moveTo(TOPIC, 0, 5n);
  await take(fetched(5, 3), done);
  expect(said).toEqual(['took 3 to 7', 'resolved 7', 'committed 8']);
  expect(assignment.placeIn(TOPIC, 0)).toBe(8n);
});

test('a batch that came before it was known where to go on is left to be fetched again', async () => {
  await take(fetched(5, 3), done);
  expect(said).toEqual([]);
});

test.each([
  ['begins behind what was taken care of', 6, null],
  ['begins before it', 4, null],
  ['came from a topic without the id that is known', 5, 'an id'],
])('a batch that %s is not handed on; its place is looked for', async (_what, from, topicId) => {
  assignment.moveTo(TOPIC, 0, 5n);
  await take(fetched(from, 3), done, topicId);
  expect(said).toEqual(['looked again']);
});

test('when the partitions are shared out again in mid-batch, the piece in hand is finished and the rest is left to others', async () => {
  assignment.moveTo(TOPIC, 0, 0n);
  await take(fetched(0, 20_001), () => {
    assignment.isOver = true;
    return Promise.resolve();
  });
  expect(said).toEqual(['took 20000 to 19999']);
});

test('when the group has gone on without this member, the work is let end, and kafkajs hears of it', async () => {
  assignment.moveTo(TOPIC, 0, 0n);
  const gone = new Error('REBALANCE_IN_PROGRESS');
  const isDone = { value: false };
  const taking = take(
    fetched(0, 1, () => Promise.reject(gone)),
    async () => {
      await delay(1_500);
      isDone.value = true;
    },
  );
  await expect(taking).rejects.toBe(gone);
  expect(isDone.value).toBe(true);
  expect(said).toEqual(['took 1 to 0']);
});

test('it tries until the warehouse is back, and no longer once it is to stop', async () => {
  assignment.moveTo(TOPIC, 0, 0n);
  const state = { tries: 0 };
  await take(fetched(0, 1), () => {
    state.tries += 1;
    return state.tries < 3 ? Promise.reject(new Error('away')) : Promise.resolve();
  });
  expect(said.slice(-3)).toEqual(['took 1 to 0', 'resolved 0', 'committed 1']);
  said = [];
  const taking = take(fetched(1, 1), fails);
  stopping.abort();
  await expect(taking).rejects.toThrow('away');
  expect(said).not.toContain('resolved 1');
});
