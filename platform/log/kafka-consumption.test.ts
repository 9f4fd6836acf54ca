import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { UnavailableError } from '../../core/errors.js';
import type { RawEvent } from '../../core/raw-event.js';
import { hasKafka, startKafka, type KafkaBroker } from '../../test/support/kafka.js';
import { kafkaConfigFor, openTestLog } from '../../test/support/kafka-config.js';
import { plainKafka, withAdmin } from '../../test/support/kafka-topics.js';
import type { KafkaConfig } from '../config.js';
import type { TopicProgress } from '../warehouse/warehouse.js';
import { logEvent } from './event-log.contract.js';
import type { Consumption, LogMessages } from './event-log.js';
import type { KafkaLog } from './kafka-log.js';
import { decodeMessage } from './kafka-message.js';

const WITHIN = { timeout: 30_000 };

/** What a handler was given, kept by position as ClickHouse keeps it; it can be away, or take its time. */
class RecordingWarehouse {
  /** Every delivery, as `partition offset`, doubles included. */
  readonly deliveries: string[] = [];
  readonly ids = new Map<string, string>();
  readonly progress = new Map<string, TopicProgress>();
  isAway = false;
  /** Batches that were begun. */
  calls = 0;
  gate: Promise<void> = Promise.resolve();

  readonly take = async (batch: LogMessages): Promise<void> => {
    this.calls += 1;
    if (this.isAway) throw new UnavailableError('warehouse_unavailable', 'the warehouse is away');
    await this.gate;
    const { stream, topicPartition, messages, lastOffset } = batch;
    for (const { offset, value } of messages) {
      const place = `${stream} ${topicPartition} ${offset}`;
      const message = decodeMessage(value, stream);
      this.deliveries.push(place);
      this.ids.set(place, message.ok ? message.event.id : 'not ours');
    }
    const known = this.progress.get(`${stream} ${topicPartition}`)?.lastOffset ?? -1n;
    if (lastOffset > known)
      this.progress.set(`${stream} ${topicPartition}`, { stream, topicPartition, lastOffset });
  };

  counted(): string[] {
    return [...this.ids.values()].sort();
  }
}

describe.runIf(hasKafka())('consuming from a real broker', () => {
  let broker: KafkaBroker;
  beforeAll(async () => {
    broker = await startKafka();
  });
  afterAll(() => broker.stop());

  let config: KafkaConfig;
  let log: KafkaLog;
  let warehouse: RecordingWarehouse;
  let open: Consumption[];
  beforeEach(async () => {
    config = kafkaConfigFor(broker);
    log = await openTestLog(config, { queueEvents: 100_000 });
    warehouse = new RecordingWarehouse();
    open = [];
  });
  afterEach(async () => {
    await Promise.all(open.map((consumption) => consumption.stop()));
    await log.close();
  });

  async function consume(into = warehouse, sessionTimeoutMs = 10_000): Promise<Consumption> {
    const consumption = await log.consume(into.take, {
      group: `${config.topicPrefix}-group`,
      progress: () => Promise.resolve([...into.progress.values()]),
      sessionTimeoutMs,
    });
    open.push(consumption);
    return consumption;
  }
  const event = (index: number): RawEvent => ({ ...logEvent(`evt_${index}`), subject: `org_${index % 20}` });
  async function append(from: number, to: number): Promise<string[]> {
    const events = Array.from({ length: to - from }, (_, index) => event(from + index));
    await log.append(events, { recordedAtMicros: 1n });
    return events.map(({ id }) => id).sort();
  }
  const counted = async (ids: readonly string[], into = warehouse): Promise<void> => {
    await expect.poll(() => into.ids.size, WITHIN).toBeGreaterThanOrEqual(ids.length);
    expect(into.counted()).toEqual(ids);
  };
  const topic = (): string => `${config.topicPrefix}.executions`;

  test('what was there before and what comes later arrives once, in the order of each partition', async () => {
    await append(0, 500);
    const consumption = await consume();
    await expect.poll(() => warehouse.ids.size, WITHIN).toBe(500);
    const ids = [
      ...(await append(500, 600)),
      ...Array.from({ length: 500 }, (_, index) => `evt_${index}`),
    ].sort();
    await counted(ids);
    expect(warehouse.deliveries).toHaveLength(600);
    for (const partition of ['0', '1']) {
      const offsets = warehouse.deliveries.filter((place) => place.startsWith(`executions ${partition} `));
      expect(offsets).toEqual(offsets.map((_, index) => `executions ${partition} ${index}`));
    }
    expect(consumption.status()).toMatchObject({ state: 'running', lastError: null, lostMessages: 0n });
    const lag = consumption.status().partitions.filter(({ stream }) => stream === 'executions');
    expect(lag.map((one) => one.lag)).toEqual([0n, 0n]);
  });

  test('while the warehouse is away nothing more is fetched, the group hears of this member, and then it goes on', async () => {
    const consumption = await consume(warehouse, 6_000);
    await counted(await append(0, 10));
    warehouse.isAway = true;
    const calls = warehouse.calls;
    const more = append(10, 5_000);
    await expect.poll(() => consumption.status().state, WITHIN).toBe('waiting');
    expect(consumption.status().lastError).toMatchObject({ code: 'warehouse_unavailable' });
    await more;
    // Longer than a member may be silent.
    await delay(8_000);
    expect(warehouse.calls - calls).toBeLessThan(40);
    warehouse.isAway = false;
    await counted(Array.from({ length: 5_000 }, (_, index) => `evt_${index}`).sort());
    expect(warehouse.deliveries).toHaveLength(5_000);
    await expect.poll(() => consumption.status().state, WITHIN).toBe('running');
  });

  test('a second member that joins in mid-batch: each position is there, and the two share what comes', async () => {
    const ids = await append(0, 2_000);
    let release: () => void = () => undefined;
    warehouse.gate = new Promise((resolve) => {
      release = resolve;
    });
    const first = await consume();
    await expect.poll(() => warehouse.calls, WITHIN).toBeGreaterThan(0);
    const second = await consume();
    // The group waits for the first to be done with what it has.
    await delay(2_000);
    release();
    await counted(ids);
    const partitionsOf = (one: Consumption): number => one.status().partitions.length;
    await expect.poll(() => [partitionsOf(first), partitionsOf(second)], WITHIN).toEqual([4, 4]);
    await append(2_000, 3_000);
    await counted(Array.from({ length: 3_000 }, (_, index) => `evt_${index}`).sort());
    expect([first, second].map((one) => one.status().lastError)).toEqual([null, null]);
  });

  test('stopped under load it finishes what it has begun, and the next goes on behind it', async () => {
    const ids = await append(0, 30_000);
    const first = await consume();
    await expect.poll(() => warehouse.ids.size, WITHIN).toBeGreaterThan(0);
    await first.stop();
    expect(first.status().state).toBe('stopped');
    const taken = warehouse.ids.size;
    await delay(500);
    expect(warehouse.ids.size).toBe(taken);
    await consume();
    await counted(ids);
    expect(warehouse.deliveries).toHaveLength(30_000);
  });

  test('the warehouse says where to go on: one that is empty is filled whole, though the group has committed all', async () => {
    const ids = await append(0, 300);
    const first = await consume();
    await counted(ids);
    await first.stop();
    const restored = new RecordingWarehouse();
    await consume(restored);
    await counted(ids, restored);
  });

  test('offsets of the group that were lost, or set elsewhere, neither double nor lose a message', async () => {
    const ids = await append(0, 300);
    const first = await consume();
    await counted(ids);
    await first.stop();
    await withAdmin(broker.brokers, (admin) =>
      admin.setOffsets({
        groupId: `${config.topicPrefix}-group`,
        topic: topic(),
        partitions: [
          { partition: 0, offset: '0' },
          { partition: 1, offset: '999999' },
        ],
      }),
    );
    await append(300, 600);
    await consume();
    await counted(Array.from({ length: 600 }, (_, index) => `evt_${index}`).sort());
    expect(warehouse.deliveries).toHaveLength(600);
  });

  test('what retention took before it was read is counted as lost, and reading goes on behind it', async () => {
    await append(0, 300);
    const ends = await withAdmin(broker.brokers, (admin) => admin.fetchTopicOffsets(topic()));
    await withAdmin(broker.brokers, (admin) =>
      admin.deleteTopicRecords({
        topic: topic(),
        partitions: ends.map(({ partition }) => ({ partition, offset: '100' })),
      }),
    );
    warehouse.progress.set('executions 0', { stream: 'executions', topicPartition: 0, lastOffset: 59n });
    const consumption = await consume();
    await expect.poll(() => warehouse.ids.size, WITHIN).toBe(100);
    // Of the other partition it never had anything: what was there before its time is not missed.
    expect(consumption.status()).toMatchObject({ state: 'running', lostMessages: 40n });
  });

  test('marks of transactions that somebody else wrote are passed over, and their messages handed on', async () => {
    const consumption = await consume();
    const producer = plainKafka(broker.brokers).producer({
      ...{ transactionalId: config.topicPrefix, maxInFlightRequests: 1, idempotent: true },
    });
    await producer.connect();
    for (const partition of [0, 0, 1]) {
      const transaction = await producer.transaction();
      await transaction.send({ topic: topic(), messages: [{ partition, value: 'theirs' }] });
      await (partition === 1 ? transaction.abort() : transaction.commit());
    }
    await producer.disconnect();
    const ids = [...(await append(0, 100)), 'not ours', 'not ours', 'not ours'].sort();
    await counted(ids);
    expect(consumption.status()).toMatchObject({ state: 'running', lastError: null });
  });

  test('topics that were made anew are refused at the start, with the way out', async () => {
    await append(0, 300);
    const first = await consume();
    await expect.poll(() => warehouse.ids.size, WITHIN).toBe(300);
    await first.stop();
    await remake();
    await append(0, 10);
    await expect(consume()).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining('HEADGATE_KAFKA_GENERATION=1') as string,
    });
    expect(warehouse.ids.size).toBe(300);
  });

  test('a topic that is made anew while it is read stops the reading, before a message is taken for another', async () => {
    await append(0, 50);
    const consumption = await consume();
    await expect.poll(() => warehouse.ids.size, WITHIN).toBe(50);
    await remake();
    await append(0, 400);
    await expect.poll(() => consumption.status().state, { timeout: 60_000 }).toBe('refused');
    expect(consumption.status().lastError?.message).toMatch(/HEADGATE_KAFKA_GENERATION=1/);
    expect(warehouse.ids.size).toBe(50);
  }, 90_000);

  async function remake(): Promise<void> {
    await withAdmin(broker.brokers, async (admin) => {
      await admin.deleteTopics({ topics: [topic()] });
      await expect.poll(() => admin.listTopics(), WITHIN).not.toContain(topic());
      await admin.createTopics({ topics: [{ topic: topic(), numPartitions: 2 }] });
    });
  }

  test('killed and started again under load: all that was accepted is counted', async () => {
    await consume();
    const accepted: string[] = [];
    const loading = { isOver: false, next: 0 };
    const load = async (): Promise<void> => {
      while (!loading.isOver) {
        const events = Array.from({ length: 20 }, () => event((loading.next += 1)));
        await log.append(events, { recordedAtMicros: 1n }).then(
          () => accepted.push(...events.map(({ id }) => id)),
          () => delay(50),
        );
      }
    };
    const loads = Array.from({ length: 3 }, load);
    await expect.poll(() => accepted.length, WITHIN).toBeGreaterThan(500);
    await broker.kill();
    await broker.restart();
    const atRestart = accepted.length;
    await expect.poll(() => accepted.length, { timeout: 60_000 }).toBeGreaterThan(atRestart + 500);
    loading.isOver = true;
    await Promise.all(loads);
    const missing = (): number => {
      const there = new Set(warehouse.ids.values());
      return accepted.filter((id) => !there.has(id)).length;
    };
    await expect.poll(missing, { timeout: 60_000 }).toBe(0);
  }, 200_000);
});
