import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hasKafka, startKafka, type KafkaBroker } from '../../test/support/kafka.js';
import { throughProxy } from '../../test/support/kafka-config.js';
import { Consuming, idsOf, WITHIN } from '../../test/support/kafka-consuming.js';
import { plainKafka, withAdmin } from '../../test/support/kafka-topics.js';
import type { RecordingWarehouse } from '../../test/support/recording-warehouse.js';
import type { Consumption } from './event-log.js';

/** Much shorter than it would take to wait for what is away. */
const PROMPTLY_MS = 5_000;

describe.runIf(hasKafka())('members of a group on a real broker', () => {
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

  async function msToStop(consumption: Consumption): Promise<number> {
    const before = performance.now();
    await consumption.stop();
    return performance.now() - before;
  }

  test('a topic that is made anew while a batch is in hand, and holds more than the one before, is not read on in', async () => {
    await bed.append(0, 50);
    const release = warehouse.hold();
    const consumption = await bed.consume();
    await expect.poll(() => warehouse.calls, WITHIN).toBeGreaterThan(0);
    await bed.remake();
    // Each place where the old one ended is now in the middle of the new one, and no fetch has failed meanwhile.
    await bed.append(1_000, 1_400);
    release();
    await expect.poll(() => consumption.status().state, WITHIN).toBe('refused');
    expect(consumption.status().lastError?.message).toMatch(/made again.*HEADGATE_KAFKA_GENERATION=1/);
    expect(idsOf(0, 50)).toEqual(expect.arrayContaining(warehouse.counted()));
    await delay(1_000);
    expect(idsOf(0, 50)).toEqual(expect.arrayContaining(warehouse.counted()));
  });

  test('stopped while the warehouse is away it ends promptly, and the next takes in what waited', async () => {
    const ids = await bed.append(0, 100);
    warehouse.isAway = true;
    const first = await bed.consume();
    await expect.poll(() => first.status().state, WITHIN).toBe('waiting');
    // By now it waits for seconds between two tries.
    await delay(3_000);
    expect(await msToStop(first)).toBeLessThan(PROMPTLY_MS);
    expect(first.status().state).toBe('stopped');
    warehouse.isAway = false;
    await bed.consume();
    await bed.counted(ids);
    expect(warehouse.deliveries).toHaveLength(100);
  });

  test('a transaction of somebody else that stays open neither holds up the reading nor makes the next start take the topic for another', async () => {
    const producer = plainKafka(broker.brokers).producer({
      ...{ transactionalId: bed.config.topicPrefix, maxInFlightRequests: 1, idempotent: true },
    });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({
      topic: bed.topic,
      messages: [0, 1].map((partition) => ({ partition, value: 'theirs' })),
    });
    const ids = [...(await bed.append(0, 100)), 'not ours', 'not ours'].sort();
    const first = await bed.consume();
    await bed.counted(ids);
    await first.stop();
    const second = await bed.consume();
    await expect.poll(() => second.status().state, WITHIN).toBe('running');
    await bed.counted([...(await bed.append(100, 200)), ...ids].sort());
    await transaction.abort();
    await producer.disconnect();
  });

  test('partitions that a topic is given later are read from their beginning', async () => {
    const first = await bed.consume();
    await bed.counted(await bed.append(0, 50));
    await first.stop();
    await withAdmin(broker.brokers, (admin) =>
      admin.createPartitions({ topicPartitions: [{ topic: bed.topic, count: 4 }] }),
    );
    const producer = plainKafka(broker.brokers).producer();
    await producer.connect();
    await producer.send({ topic: bed.topic, messages: [{ partition: 3, value: 'theirs' }] });
    await producer.disconnect();
    expect((await bed.log.ends()).filter(({ topic }) => topic === bed.topic)).toHaveLength(4);
    await bed.consume();
    await bed.counted([...idsOf(0, 50), 'not ours']);
    expect(warehouse.progress.get('executions 3')).toMatchObject({ lastOffset: 0n });
  });

  test('members that come and go under load, with a slow warehouse: nothing is lost, and nothing is passed that had not come', async () => {
    warehouse.takesMs = 150;
    const loading = { isOver: false, next: 0 };
    const load = (async () => {
      while (!loading.isOver) {
        await bed.append(loading.next, loading.next + 100);
        loading.next += 100;
        await delay(20);
      }
    })();
    const members: Consumption[] = [await bed.consume(), await bed.consume()];
    for (let round = 0; round < 5; round += 1) {
      await delay(1_200);
      // One joins while another leaves.
      const [oldest] = members.splice(0, 1);
      const [joined] = await Promise.all([bed.consume(), oldest?.stop()]);
      members.push(joined);
    }
    loading.isOver = true;
    await load;
    warehouse.takesMs = 0;
    await bed.counted(idsOf(0, loading.next));
    expect(warehouse.gaps).toEqual([]);
    await expect
      .poll(() => members.map((member) => member.status().state), WITHIN)
      .toEqual(['running', 'running']);
  });

  test('a member that the group lost with a batch in hand: another takes its place, and what it still writes harms nothing', async () => {
    const lost = await Consuming.on(broker, throughProxy(broker));
    const other = await Consuming.on(broker, { HEADGATE_KAFKA_TOPIC_PREFIX: lost.config.topicPrefix });
    try {
      const ids = await other.append(0, 400);
      const release = warehouse.hold();
      const first = await lost.consume(warehouse, 6_000);
      await expect.poll(() => warehouse.calls, WITHIN).toBeGreaterThan(0);
      broker.proxy.dropAll();
      warehouse.gate = Promise.resolve();
      await other.consume(warehouse, 6_000);
      await bed.counted(ids);
      release();
      await other.append(400, 800);
      await bed.counted(idsOf(0, 800));
      broker.proxy.restore();
      await expect.poll(() => first.status().state, WITHIN).toBe('running');
      await other.append(800, 1_000);
      await bed.counted(idsOf(0, 1_000));
      expect(warehouse.gaps).toEqual([]);
    } finally {
      broker.proxy.restore();
      await lost.close();
      await other.close();
    }
  });

  test('stopped while the brokers are away it ends in seconds, and the next goes on when they are back', async () => {
    const first = await bed.consume();
    await bed.counted(await bed.append(0, 50));
    await broker.kill();
    await expect.poll(() => first.status().state, WITHIN).toBe('waiting');
    expect(await msToStop(first)).toBeLessThan(2 * PROMPTLY_MS);
    const second = await bed.consume();
    expect(second.status()).toMatchObject({ state: 'waiting', lastError: { code: 'log_unavailable' } });
    await broker.restart();
    await expect.poll(() => second.status().state, WITHIN).toBe('running');
    await bed.append(50, 100);
    await bed.counted(idsOf(0, 100));
  });
});
