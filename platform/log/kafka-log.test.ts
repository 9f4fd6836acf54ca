import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pino } from 'pino';
import { STREAMS } from '../../core/raw-event.js';
import { hasKafka, startKafka, type KafkaBroker } from '../../test/support/kafka.js';
import { readTopic } from '../../test/support/kafka-topics.js';
import { loadConfig, type KafkaConfig } from '../config.js';
import { eventLogContract, logEvent } from './event-log.contract.js';
import { openKafkaLog, type KafkaLog } from './kafka-log.js';
import { decodeMessage } from './kafka-message.js';

const logger = pino({ level: 'silent' });

describe.runIf(hasKafka())('the log on a real broker', () => {
  let broker: KafkaBroker;
  beforeAll(async () => {
    broker = await startKafka();
  });
  afterAll(() => broker.stop());

  function configOf(changes: Record<string, string> = {}): KafkaConfig {
    const { kafka } = loadConfig({
      KAFKA_BROKERS: broker.brokers,
      HEADGATE_KAFKA_TOPIC_PREFIX: `test-${randomUUID().slice(0, 8)}`,
      HEADGATE_KAFKA_PARTITIONS: '2',
      HEADGATE_KAFKA_TIMEOUT_SECONDS: '6',
      ...changes,
    });
    if (kafka === null) throw new Error('no Kafka in the configuration');
    return kafka;
  }
  const open = (config: KafkaConfig, queueEvents = 1000): Promise<KafkaLog> =>
    openKafkaLog(config, { logger, queueEvents, maxEventBytes: 1 << 20 });

  async function idsOn({ topicPrefix }: KafkaConfig): Promise<string[]> {
    const found = await readTopic(broker.brokers, `${topicPrefix}.executions`);
    return found.map(({ value }) => {
      const message = decodeMessage(value, 'executions');
      return message.ok ? message.event.id : message.problem.message;
    });
  }
  const throughProxy = (changes: Record<string, string> = {}): KafkaConfig =>
    configOf({ KAFKA_BROKERS: `127.0.0.1:${broker.ports.proxy}`, ...changes });

  eventLogContract('Kafka', () => {
    const config = configOf();
    return Promise.resolve({
      open: () => open(config),
      durableIds: () => idsOn(config),
      dispose: () => Promise.resolve(),
    });
  });

  test('an append over several topics and partitions tells where its first and its last event stand', async () => {
    const log = await open(configOf());
    const events = Array.from({ length: 40 }, (_, index) => ({
      ...logEvent(`evt_${index}`),
      stream: STREAMS[index % 4] ?? 'crm',
      subject: `org_${index}`,
    }));
    const receipt = await log.append(events, { recordedAtMicros: 1n });
    expect(receipt.count).toBe(40);
    expect([1000, 1001]).toContain(receipt.first?.partition);
    expect(receipt.first?.offset).toBe(0n);
    const again = await log.append(events.slice(-1), { recordedAtMicros: 1n });
    expect(again.first?.partition).toBe(receipt.last?.partition);
    expect(again.first?.offset).toBe((receipt.last?.offset ?? -9n) + 1n);
    await log.close();
  });

  test('an append larger than a batch may be goes in several, whole and in its order', async () => {
    const config = configOf();
    const log = await open(config, 20_000);
    const ids = Array.from({ length: 12_000 }, (_, index) => `evt_${index}`);
    expect(await log.append(ids.map(logEvent), { recordedAtMicros: 1n })).toMatchObject({ count: 12_000 });
    expect(await idsOn(config)).toEqual(ids);
    await log.close();
  });

  test('each message is recorded after the one before it, whatever partition, append or clock', async () => {
    const config = configOf({ HEADGATE_KAFKA_PARTITIONS: '3' });
    const log = await open(config);
    const sent = Array.from({ length: 30 }, (_, index) => `evt_${index}`);
    for (const [start, recordedAtMicros] of [
      [0, 1_000n],
      [10, 1_004n],
      [20, 900n],
    ] as const) {
      const events = sent.slice(start, start + 10).map((id) => ({ ...logEvent(id), subject: `org_${id}` }));
      await log.append(events, { recordedAtMicros });
    }
    await log.close();
    const recorded = (await readTopic(broker.brokers, `${config.topicPrefix}.executions`)).map(
      ({ value }) => {
        const message = decodeMessage(value, 'executions');
        if (!message.ok) throw new Error(message.problem.message);
        return { id: message.event.id, at: message.recordedAtMicros };
      },
    );
    recorded.sort((a, b) => Number(a.at - b.at));
    expect(recorded.map(({ id }) => id)).toEqual(sent);
    expect(recorded.map(({ at }) => at)).toEqual(sent.map((_, index) => 1_000n + BigInt(index)));
  });

  test('a lost acknowledgement: the append is answered after all, and its events are there once', async () => {
    const config = throughProxy();
    const log = await open(config);
    await log.append([logEvent('before')], { recordedAtMicros: 1n });
    broker.proxy.dropAnswers();
    const append = log.append([logEvent('a'), logEvent('b')], { recordedAtMicros: 1n });
    await expect.poll(() => idsOn(config), { timeout: 10_000 }).toEqual(['before', 'a', 'b']);
    broker.proxy.restore();
    expect(await append).toMatchObject({ count: 2, first: { offset: 1n }, last: { offset: 2n } });
    expect(await idsOn(config)).toEqual(['before', 'a', 'b']);
    await log.close();
  });

  test('after a send that was given up, the next one is not taken for it', async () => {
    const config = throughProxy({ HEADGATE_KAFKA_TIMEOUT_SECONDS: '2' });
    const log = await open(config);
    await log.append([logEvent('before')], { recordedAtMicros: 1n });
    broker.proxy.dropAnswers();
    const givenUp = log.append([logEvent('a')], { recordedAtMicros: 1n });
    await expect(givenUp).rejects.toMatchObject({
      code: 'log_unavailable',
      details: { retryAfterSeconds: 5 },
    });
    broker.proxy.restore();
    await log.append([logEvent('b')], { recordedAtMicros: 1n });
    const found = await idsOn(config);
    expect(found).toContain('b');
    expect(found).toContain('a');
    await log.close();
  });

  test('while the brokers do not answer, appends are refused in time and memory stays within the queue', async () => {
    const config = throughProxy({ HEADGATE_KAFKA_TIMEOUT_SECONDS: '2' });
    const log = await open(config, 10);
    broker.proxy.dropAll();
    const outcomes = Array.from({ length: 25 }, (_, index) =>
      log.append([logEvent(`evt_${index}`)], { recordedAtMicros: 1n }).then(
        () => 'accepted',
        (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
      ),
    );
    const started = performance.now();
    const codes = await Promise.all(outcomes);
    expect(performance.now() - started).toBeLessThan(4_000);
    expect(codes.slice(0, 10)).toEqual(Array(10).fill('log_unavailable'));
    expect(codes.slice(10)).toEqual(Array(15).fill('queue_full'));
    broker.proxy.restore();
    expect(log.queuedEvents).toBe(0);
    expect(await log.append([logEvent('after')], { recordedAtMicros: 1n })).toMatchObject({ count: 1 });
    await log.close();
  });

  test('an event larger than the topic takes is refused with the setting to change, and alone', async () => {
    const log = await open(configOf());
    const large = { ...logEvent('large'), data: JSON.stringify({ text: 'x'.repeat(5 << 20) }) };
    const outcomes = await Promise.allSettled(
      [large, logEvent('small')].map((event) => log.append([event], { recordedAtMicros: 1n })),
    );
    expect(outcomes).toMatchObject([
      { status: 'rejected', reason: { code: 'event_too_large' } },
      { status: 'fulfilled' },
    ]);
    await expect(log.append([large], { recordedAtMicros: 1n })).rejects.toThrow(
      /max\.message\.bytes.*HEADGATE_MAX_EVENT_BYTES/,
    );
    await log.close();
  });

  test('killed and started again under load, it has everything that was acknowledged', async () => {
    const config = configOf({ HEADGATE_KAFKA_TIMEOUT_SECONDS: '60' });
    const log = await open(config, 100_000);
    const accepted: string[] = [];
    let next = 0;
    let isOver = false;
    const load = async (): Promise<void> => {
      while (!isOver) {
        const ids = Array.from({ length: 20 }, () => `evt_${(next += 1)}`);
        await log.append(ids.map(logEvent), { recordedAtMicros: 1n }).then(
          () => accepted.push(...ids),
          () => undefined,
        );
      }
    };
    const loads = Array.from({ length: 4 }, load);
    await expect.poll(() => accepted.length, { timeout: 20_000 }).toBeGreaterThan(500);
    await broker.kill();
    await broker.restart();
    const atRestart = accepted.length;
    await expect.poll(() => accepted.length, { timeout: 60_000 }).toBeGreaterThan(atRestart + 500);
    isOver = true;
    await Promise.all(loads);
    const found = new Set(await idsOn(config));
    expect(accepted.filter((id) => !found.has(id))).toEqual([]);
    await log.close();
  }, 180_000);
});
