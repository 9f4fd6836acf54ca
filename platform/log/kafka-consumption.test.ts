import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hasKafka, startKafka, type KafkaBroker } from '../../test/support/kafka.js';
import { Consuming, idsOf, WITHIN } from '../../test/support/kafka-consuming.js';
import { plainKafka, withAdmin } from '../../test/support/kafka-topics.js';
import { RecordingWarehouse } from '../../test/support/recording-warehouse.js';
import type { Consumption } from './event-log.js';

describe.runIf(hasKafka())('consuming from a real broker', () => {
  let broker: KafkaBroker;
  beforeAll(async () => {
    broker = await startKafka();
  });
  afterAll(() => broker.stop());

  let bed: Consuming;
  let warehouse: RecordingWarehouse;
  beforeEach(async () => {
    bed = await Consuming.on(broker);
    ({ warehouse } = bed);
  });
  afterEach(() => bed.close());

  test('what was there before and what comes later arrives once, in the order of each partition', async () => {
    await bed.append(0, 500);
    const consumption = await bed.consume();
    await expect.poll(() => warehouse.ids.size, WITHIN).toBe(500);
    await bed.append(500, 600);
    await bed.counted(idsOf(0, 600));
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
    const consumption = await bed.consume(warehouse, 6_000);
    await bed.counted(await bed.append(0, 10));
    warehouse.isAway = true;
    const calls = warehouse.calls;
    const more = bed.append(10, 5_000);
    await expect.poll(() => consumption.status().state, WITHIN).toBe('waiting');
    expect(consumption.status().lastError).toMatchObject({ code: 'warehouse_unavailable' });
    await more;
    // Longer than a member may be silent.
    await delay(8_000);
    expect(warehouse.calls - calls).toBeLessThan(40);
    warehouse.isAway = false;
    await bed.counted(idsOf(0, 5_000));
    expect(warehouse.deliveries).toHaveLength(5_000);
    await expect.poll(() => consumption.status().state, WITHIN).toBe('running');
  });

  test('a second member that joins in mid-batch: each position is there, and the two share what comes', async () => {
    const ids = await bed.append(0, 2_000);
    const release = warehouse.hold();
    const first = await bed.consume();
    await expect.poll(() => warehouse.calls, WITHIN).toBeGreaterThan(0);
    const second = await bed.consume();
    // The group waits for the first to be done with what it has.
    await delay(2_000);
    release();
    await bed.counted(ids);
    const partitionsOf = (one: Consumption): number => one.status().partitions.length;
    await expect.poll(() => [partitionsOf(first), partitionsOf(second)], WITHIN).toEqual([4, 4]);
    await bed.append(2_000, 3_000);
    await bed.counted(idsOf(0, 3_000));
    expect([first, second].map((one) => one.status().lastError)).toEqual([null, null]);
  });

  test('stopped under load it finishes what it has begun, and the next goes on behind it', async () => {
    const ids = await bed.append(0, 30_000);
    const first = await bed.consume();
    await expect.poll(() => warehouse.ids.size, WITHIN).toBeGreaterThan(0);
    await first.stop();
    expect(first.status().state).toBe('stopped');
    const taken = warehouse.ids.size;
    await delay(500);
    expect(warehouse.ids.size).toBe(taken);
    await bed.consume();
    await bed.counted(ids);
    expect(warehouse.deliveries).toHaveLength(30_000);
  });

  test('the warehouse says where to go on: one that is empty is filled whole, though the group has committed all', async () => {
    const ids = await bed.append(0, 300);
    const first = await bed.consume();
    await bed.counted(ids);
    await first.stop();
    const restored = new RecordingWarehouse();
    await bed.consume(restored);
    await bed.counted(ids, restored);
  });

  test('offsets of the group that were lost, or set elsewhere, neither double nor lose a message', async () => {
    const ids = await bed.append(0, 300);
    const first = await bed.consume();
    await bed.counted(ids);
    await first.stop();
    await withAdmin(broker.brokers, (admin) =>
      admin.setOffsets({
        groupId: bed.group,
        topic: bed.topic,
        partitions: [
          { partition: 0, offset: '0' },
          { partition: 1, offset: '999999' },
        ],
      }),
    );
    await bed.append(300, 600);
    await bed.consume();
    await bed.counted(idsOf(0, 600));
    expect(warehouse.deliveries).toHaveLength(600);
  });

  test('what retention took before it was read is counted as lost, and reading goes on behind it', async () => {
    await bed.append(0, 300);
    await withAdmin(broker.brokers, async (admin) => {
      // kafkajs deletes from partitions only that it has seen, so it is asked for them first.
      const ends = await admin.fetchTopicOffsets(bed.topic);
      await admin.deleteTopicRecords({
        topic: bed.topic,
        partitions: ends.map(({ partition }) => ({ partition, offset: '100' })),
      });
    });
    warehouse.progress.set('executions 0', { stream: 'executions', topicPartition: 0, lastOffset: 59n });
    const consumption = await bed.consume();
    await expect.poll(() => warehouse.ids.size, WITHIN).toBe(100);
    // Of the other partition it never had anything: what was there before its time is not missed.
    expect(consumption.status()).toMatchObject({ state: 'running', lostMessages: 40n });
  });

  test('marks of transactions that somebody else wrote are passed over, and their messages handed on', async () => {
    const consumption = await bed.consume();
    const producer = plainKafka(broker.brokers).producer({
      ...{ transactionalId: bed.config.topicPrefix, maxInFlightRequests: 1, idempotent: true },
    });
    await producer.connect();
    for (const partition of [0, 0, 1]) {
      const transaction = await producer.transaction();
      await transaction.send({ topic: bed.topic, messages: [{ partition, value: 'theirs' }] });
      await (partition === 1 ? transaction.abort() : transaction.commit());
    }
    await producer.disconnect();
    const ids = [...(await bed.append(0, 100)), 'not ours', 'not ours', 'not ours'].sort();
    await bed.counted(ids);
    expect(consumption.status()).toMatchObject({ state: 'running', lastError: null });
  });

  test('topics that were made anew are refused at the start, with the way out', async () => {
    await bed.append(0, 300);
    const first = await bed.consume();
    await expect.poll(() => warehouse.ids.size, WITHIN).toBe(300);
    await first.stop();
    await bed.remake();
    await bed.append(0, 10);
    await expect(bed.consume()).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining('HEADGATE_KAFKA_GENERATION=1') as string,
    });
    expect(warehouse.ids.size).toBe(300);
  });

  test('a topic that is made anew while it is read stops the reading, before a message is taken for another', async () => {
    await bed.append(0, 50);
    const consumption = await bed.consume();
    await expect.poll(() => warehouse.ids.size, WITHIN).toBe(50);
    await bed.remake();
    await bed.append(0, 400);
    await expect.poll(() => consumption.status().state, { timeout: 60_000 }).toBe('refused');
    expect(consumption.status().lastError?.message).toMatch(/HEADGATE_KAFKA_GENERATION=1/);
    expect(warehouse.ids.size).toBe(50);
  }, 90_000);

  test('killed and started again under load: all that was accepted is counted', async () => {
    await bed.consume();
    const accepted: string[] = [];
    const loading = { isOver: false, next: 0 };
    const load = async (): Promise<void> => {
      while (!loading.isOver) {
        const events = Array.from({ length: 20 }, () => bed.event((loading.next += 1)));
        await bed.log.append(events, { recordedAtMicros: 1n }).then(
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
