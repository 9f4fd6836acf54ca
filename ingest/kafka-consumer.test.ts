import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EventType } from '../core/events.js';
import { eventExamples } from '../core/events/examples.js';
import { parseInstant } from '../core/time.js';
import type { KafkaConfig } from '../platform/config.js';
import type { Consumption } from '../platform/log/event-log.js';
import type { KafkaLog } from '../platform/log/kafka-log.js';
import { encodeMessage } from '../platform/log/kafka-message.js';
import type { Warehouse } from '../platform/warehouse/warehouse.js';
import { openIngestTestBed, type IngestTestBed } from '../test/ingest-services.js';
import { hasKafka, startKafka, type KafkaBroker } from '../test/support/kafka.js';
import { kafkaConfigFor, openTestLog } from '../test/support/kafka-config.js';
import { plainKafka } from '../test/support/kafka-topics.js';
import { waitUntilCaughtUp } from './caught-up.js';
import { messageHandler, startConsumer } from './kafka-consumer.js';
import { ingestBody } from './pipeline.js';

/** Later than every example. */
const NOW = parseInstant('2027-01-01T00:00:00Z');

type Filled = Pick<Warehouse, 'appendFromLog' | 'topicProgress'>;

/** Each type of event that there is, so many times: in one order, with ids that tell them apart. */
function someOfEach(times: number, name: string): { readonly body: Buffer; readonly ids: string[] } {
  const events = Array.from({ length: times }, (_, round) =>
    Object.values(eventExamples).map((event) => ({ ...event, id: `${name} ${event.type} ${round}` })),
  ).flat();
  return { body: Buffer.from(JSON.stringify(events)), ids: events.map(({ id }) => id).sort() };
}

/** As Headgate would write it, were it not for the changes. */
function message(type: EventType, id: string, changes: Readonly<Record<string, unknown>> = {}): Buffer {
  const { source, subject, time, data } = eventExamples[type];
  const event = {
    ...{ stream: 'billing' as const, source, id, type, subject, timeMicros: parseInstant(time) },
    ...{ data: JSON.stringify({ ...data, ...changes }), extra: null },
  };
  return encodeMessage(event, NOW);
}

describe.runIf(hasKafka())('from the topics into the warehouse, on a real broker', () => {
  let broker: KafkaBroker;
  beforeAll(async () => {
    broker = await startKafka();
  });
  afterAll(() => broker.stop());

  let bed: IngestTestBed;
  let config: KafkaConfig;
  let log: KafkaLog;
  let open: Consumption[];
  beforeEach(async () => {
    bed = await openIngestTestBed();
    config = kafkaConfigFor(broker);
    log = await openTestLog(config, { queueEvents: 100_000 });
    open = [];
  });
  afterEach(async () => {
    await Promise.all(open.map((consumption) => consumption.stop()));
    await log.close();
    await bed.close();
  });

  async function send(body: Buffer): Promise<void> {
    const { accepted, quarantined } = await ingestBody(body, 'json', { ...bed.services, log }, NOW);
    expect([accepted > 0, quarantined]).toEqual([true, 0]);
  }

  async function start(warehouse: Filled = bed.warehouse): Promise<Consumption> {
    const services = { warehouse, quarantine: bed.services.quarantine, clock: () => NOW };
    const options = { group: config.topicPrefix, sessionTimeoutMs: 10_000 };
    const consumption = await startConsumer(log, services, options);
    open.push(consumption);
    return consumption;
  }

  async function write(values: readonly (Buffer | string | null)[]): Promise<void> {
    const producer = plainKafka(broker.brokers).producer();
    await producer.connect();
    const messages = values.map((value) => ({ partition: 0, value }));
    await producer.send({ topic: `${config.topicPrefix}.billing`, messages });
    await producer.disconnect();
  }

  const storedIds = async (): Promise<string[]> => (await bed.rows()).map(({ id }) => id).sort();

  /** The warehouse, taking its time. */
  function slow(takesMs: number): Filled {
    return {
      topicProgress: () => bed.warehouse.topicProgress(),
      appendFromLog: async (batch) => {
        await delay(takesMs);
        await bed.warehouse.appendFromLog(batch);
      },
    };
  }

  test('events of every type are in the raw tables once, each as it was sent, though the consumer was stopped in the middle', async () => {
    const [before, meanwhile, after] = [someOfEach(40, 'a'), someOfEach(40, 'b'), someOfEach(5, 'c')];
    await send(before.body);
    const first = await start(slow(1_000));
    await expect.poll(async () => (await bed.rows()).length, { timeout: 30_000 }).toBeGreaterThan(0);
    await first.stop();
    expect((await bed.rows()).length).toBeLessThan(before.ids.length);
    await send(meanwhile.body);
    const second = await start();
    await send(after.body);
    await waitUntilCaughtUp(log, bed.warehouse, second);
    expect(await storedIds()).toEqual([...before.ids, ...meanwhile.ids, ...after.ids].sort());
    // The same event straight into the warehouse, without a log between.
    const [sent] = Object.values(eventExamples);
    await ingestBody(Buffer.from(JSON.stringify({ ...sent, id: 'straight' })), 'json', bed.services, NOW);
    const rows = await bed.rows();
    const [one, straight] = [`a ${sent?.type ?? ''} 0`, 'straight'].map((id) =>
      rows.find((row) => row.id === id),
    );
    expect({ ...one, id: '', identity: '', log_offset: 0n }).toEqual({
      ...straight,
      id: '',
      identity: '',
      log_offset: 0n,
    });
    expect(await bed.services.quarantine.count({})).toBe(0);
  });

  test('poison is in quarantine with its place on the topic, and what stands around it is in the raw tables', async () => {
    await write([
      message('invoice.finalized', 'good 0'),
      'not JSON',
      message('invoice.finalized', 'good 2'),
      null,
      message('session.active', 'of another stream'),
      message('invoice.finalized', 'a float', { totalMinor: 12.5 }),
      message('invoice.finalized', 'good 6'),
      message('invoice.finalized', 'a newer version').toString().replace('{"v":1', '{"v":2'),
    ]);
    const consumption = await start();
    await waitUntilCaughtUp(log, bed.warehouse, consumption);
    expect(await storedIds()).toEqual(['good 0', 'good 2', 'good 6']);
    const { events } = await bed.services.quarantine.list({}, { limit: 100 });
    const found = events.map((one) => [one.sourcePosition, one.reason, one.path]).sort();
    expect(found).toEqual([
      ['partition 0, offset 1', 'invalid_json', ''],
      ['partition 0, offset 3', 'not_an_object', ''],
      ['partition 0, offset 4', 'unknown_type', 'type'],
      ['partition 0, offset 5', 'money_not_integer', 'data.totalMinor'],
      ['partition 0, offset 7', 'unsupported_version', 'v'],
    ]);
    const topics = new Set(events.map(({ sourceName }) => sourceName));
    expect([...topics]).toEqual([`topic ${config.topicPrefix}.billing`]);
    const broken = events.find(({ reason }) => reason === 'invalid_json');
    expect(Buffer.from(broken?.raw ?? []).toString()).toBe('not JSON');
    await write([message('invoice.finalized', 'good 8')]);
    await waitUntilCaughtUp(log, bed.warehouse, consumption);
    expect(await storedIds()).toEqual(['good 0', 'good 2', 'good 6', 'good 8']);
    expect(consumption.status()).toMatchObject({ state: 'running', lastError: null });
  });

  test('whoever waits until all is in waits for whoever brings it, and for the last of it', async () => {
    const { body, ids } = someOfEach(20, 'a');
    await send(body);
    const state = { isOver: false };
    const waiting = waitUntilCaughtUp(log, bed.warehouse, null).then(async () => {
      state.isOver = true;
      return storedIds();
    });
    await delay(500);
    expect(state.isOver).toBe(false);
    const consumption = await start(slow(500));
    expect(await waiting).toEqual(ids);
    const more = someOfEach(20, 'b');
    await send(more.body);
    await waitUntilCaughtUp(log, bed.warehouse, consumption);
    expect(await storedIds()).toEqual([...ids, ...more.ids].sort());
    // With nothing on its way there is nothing to wait for, the restarted consumer's first look included.
    await consumption.stop();
    await waitUntilCaughtUp(log, bed.warehouse, null);
    await waitUntilCaughtUp(log, bed.warehouse, await start());
  });

  test('marks of somebody’s transactions at the end of a topic do not keep anybody waiting', async () => {
    const { body, ids } = someOfEach(1, 'a');
    await send(body);
    const producer = plainKafka(broker.brokers).producer({
      ...{ transactionalId: config.topicPrefix, maxInFlightRequests: 1, idempotent: true },
    });
    await producer.connect();
    const transaction = await producer.transaction();
    const messages = [{ partition: 1, value: message('invoice.finalized', 'theirs') }];
    await transaction.send({ topic: `${config.topicPrefix}.billing`, messages });
    await transaction.commit();
    await producer.disconnect();
    await waitUntilCaughtUp(log, bed.warehouse, await start());
    expect(await storedIds()).toEqual([...ids, 'theirs'].sort());
  });
});

test('a consumer that can’t go on fails whoever waits for it, with the reason', async () => {
  const lastError = new Error('these are other topics');
  const refused: Consumption = {
    status: () => ({ state: 'refused', lastError, lostMessages: 0n, partitions: [] }),
    stop: () => Promise.resolve(),
  };
  const behind = {
    ends: () => Promise.resolve([{ stream: 'crm' as const, topic: 't', partition: 0, low: 0n, high: 1n }]),
    lagBehind: () => [{ stream: 'crm' as const, partition: 0, lag: 1n }],
  };
  const warehouse = { topicProgress: () => Promise.resolve([]) };
  await expect(waitUntilCaughtUp(behind, warehouse, refused)).rejects.toBe(lastError);
});

test('the same messages again (a restart between the two stores) are one row and one case each', async () => {
  const bed = await openIngestTestBed();
  const handle = messageHandler({
    ...{ warehouse: bed.warehouse, quarantine: bed.services.quarantine, clock: () => NOW },
  });
  const messages = {
    ...{ stream: 'billing' as const, topic: 'headgate.billing', partition: 3, topicPartition: 1_003 },
    messages: [
      { offset: 7n, value: message('invoice.finalized', 'good') },
      { offset: 8n, value: Buffer.from('not JSON') },
    ],
    lastOffset: 8n,
  };
  await handle(messages);
  await handle(messages);
  expect((await bed.rows()).map(({ id }) => id)).toEqual(['good']);
  const { events } = await bed.services.quarantine.list({}, { limit: 10 });
  expect(events).toMatchObject([{ sourcePosition: 'partition 3, offset 8', count: 1 }]);
  expect(await bed.warehouse.topicProgress()).toEqual([
    { stream: 'billing', topicPartition: 1_003, lastOffset: 8n },
  ]);
  await bed.close();
});

test('while quarantine is away nothing is passed: the batch fails whole, and the raw tables have none of it', async () => {
  const bed = await openIngestTestBed();
  const away = new Error('the store is away');
  const handle = messageHandler({
    ...{ warehouse: bed.warehouse, clock: () => NOW },
    quarantine: { put: () => Promise.reject(away) },
  });
  const messages = [
    { offset: 0n, value: message('invoice.finalized', 'good') },
    { offset: 1n, value: null },
  ];
  const batch = {
    stream: 'billing' as const,
    topic: 't',
    partition: 0,
    topicPartition: 0,
    messages,
    lastOffset: 1n,
  };
  await expect(handle(batch)).rejects.toBe(away);
  expect(await bed.rows()).toEqual([]);
  expect(await bed.warehouse.topicProgress()).toEqual([]);
  await bed.close();
});
