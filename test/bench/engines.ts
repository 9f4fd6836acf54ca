import { setTimeout as delay } from 'node:timers/promises';
import { CompressionTypes, Kafka, logLevel } from 'kafkajs';
import { z } from 'zod';
import { ServedCompany, type Served } from '../support/served-company.js';
import { newExecutions } from './event-files.js';
import { eventBodies, executions, postBatch, postSingle } from './event-posts.js';
import { quantile, seconds, type Figure } from './figure.js';
import { send, throughput, type Target } from './http-load.js';

const BATCH = 1_000;
const BODIES = 40;
const IN_FLIGHT = 4;
const LOAD_MS = 10_000;
const PROBED_MS = 20_000;
const PROBE_EVERY_MS = 100;
const LOOK_EVERY_MS = 25;
const PRELOADED = 300_000;
const INSERT_ROWS = 5_000;

const count = (value: number): string => Math.round(value).toLocaleString('en-US');

/** From the API through Kafka into ClickHouse, each in a process of its own, all on this machine. */
export async function benchEngines(): Promise<Figure[]> {
  const company = await ServedCompany.start({}, { longRunning: true });
  try {
    const api = await company.serve('api');
    const consumer = await company.serve('consumer');
    const target = { port: Number(new URL(api.url).port), key: company.key };
    const calls = eventBodies(BATCH, BODIES, 'warm').map(postBatch);
    await throughput(target, calls, { inFlight: IN_FLIGHT, forMs: 5_000 });
    await company.caughtUp(api.url, 120_000);

    const floor = await kafkajsRate(company);
    const through = await throughThemAll(company, api, target);
    const latency = await eventToRow(company, target, through / 2);
    await consumer.kill();
    return [
      {
        name: 'API → Kafka → ClickHouse, batches of 1,000',
        measured: `${count(through)} events/s`,
        floor: `${count(floor)} messages/s by kafkajs`,
        ratio: `${(through / floor).toFixed(2)} of it`,
        target: '≥ 0.33',
        isMet: through / floor >= 1 / 3,
      },
      {
        name: 'event to queryable row, at half that load',
        measured: `p99 ${seconds(quantile(latency, 0.99))} (p50 ${seconds(quantile(latency, 0.5))})`,
        floor: '',
        ratio: '',
        target: 'p99 < 3 s',
        isMet: quantile(latency, 0.99) < 3_000,
      },
      await consumerAlone(company, target),
    ];
  } finally {
    await company.stop();
  }
}

async function rows(company: ServedCompany): Promise<number> {
  const answer = await company.clickHouse.client.query({
    query: `SELECT toUInt32(count()) AS rows FROM headgate.raw_executions`,
    format: 'JSONEachRow',
  });
  const [row] = z.array(z.object({ rows: z.number() })).parse(await answer.json());
  return row?.rows ?? 0;
}

async function untilRows(company: ServedCompany, wanted: number): Promise<void> {
  while ((await rows(company)) < wanted) await delay(LOOK_EVERY_MS);
}

/** What kafkajs alone gets acknowledged by the same broker, as our producer asks for it: idempotent, all replicas, gzip. */
async function kafkajsRate({ kafka }: ServedCompany): Promise<number> {
  const client = new Kafka({ brokers: [kafka.brokers], logLevel: logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: 'bench-floor', numPartitions: 4 }] });
  await admin.disconnect();
  const producer = client.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  const messages = executions(BATCH, 'floor').map((value, index) => ({ key: `org_${index % 400}`, value }));
  const produce = async (forMs: number): Promise<number> => {
    const started = performance.now();
    let sent = 0;
    const sender = async (): Promise<void> => {
      while (performance.now() - started < forMs) {
        await producer.send({ topic: 'bench-floor', messages, acks: -1, compression: CompressionTypes.GZIP });
        sent += BATCH;
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, sender));
    return sent / ((performance.now() - started) / 1_000);
  };
  await produce(3_000);
  const rate = await produce(LOAD_MS);
  await producer.disconnect();
  return rate;
}

/** Events per second from the first request until the last row can be queried. */
async function throughThemAll(company: ServedCompany, api: Served, target: Target): Promise<number> {
  const before = await rows(company);
  const started = performance.now();
  await throughput(target, eventBodies(BATCH, BODIES, 'load').map(postBatch), {
    inFlight: IN_FLIGHT,
    forMs: LOAD_MS,
  });
  await company.caughtUp(api.url, 120_000);
  const arrived = (await rows(company)) - before;
  return arrived / ((performance.now() - started) / 1_000);
}

/** Milliseconds from sending an event to its row in an answer of ClickHouse, for events sent one by one beside a steady load. */
async function eventToRow(company: ServedCompany, target: Target, perSecond: number): Promise<number[]> {
  const sentAt = new Map<string, number>();
  const seenAfter: number[] = [];
  const until = performance.now() + PROBED_MS;
  const load = async (): Promise<void> => {
    const bodies = eventBodies(BATCH, 20, 'steady');
    const everyMs = (BATCH / perSecond) * 1_000;
    const started = performance.now();
    for (let index = 0; performance.now() < until; index += 1) {
      const waitMs = started + index * everyMs - performance.now();
      if (waitMs > 0) await delay(waitMs);
      const [body = Buffer.alloc(0)] = bodies.slice(index % bodies.length);
      await send(target, postBatch(body), IN_FLIGHT + 1);
    }
  };
  const probe = async (): Promise<void> => {
    for (let index = 0; performance.now() < until; index += 1) {
      const [event = ''] = newExecutions(1, '2026-10-01T00:00:00Z', ['org_probe'], `probe${index}_`);
      sentAt.set(z.object({ id: z.string() }).parse(JSON.parse(event)).id, performance.now());
      await send(target, postSingle(Buffer.from(event)), IN_FLIGHT + 1);
      await delay(PROBE_EVERY_MS);
    }
  };
  const look = async (): Promise<void> => {
    while (performance.now() < until || sentAt.size > 0) {
      const answer = await company.clickHouse.client.query({
        query: `SELECT DISTINCT id FROM headgate.raw_executions WHERE subject = 'org_probe'`,
        format: 'JSONEachRow',
      });
      for (const { id } of z.array(z.object({ id: z.string() })).parse(await answer.json())) {
        const sent = sentAt.get(id);
        if (sent === undefined) continue;
        seenAfter.push(performance.now() - sent);
        sentAt.delete(id);
      }
      await delay(LOOK_EVERY_MS);
    }
  };
  await Promise.all([load(), probe(), look()]);
  return seenAfter;
}

/** What waits on the topics, taken in by a consumer that starts; beside the same rows as plain inserts of JSONEachRow. */
async function consumerAlone(company: ServedCompany, target: Target): Promise<Figure> {
  const before = await rows(company);
  const bodies = eventBodies(BATCH, PRELOADED / BATCH, 'preloaded');
  for (const body of bodies) await send(target, postBatch(body), 1);
  const consumer = await company.serve('consumer');
  await untilRows(company, before + 1);
  const [first, started] = [await rows(company), performance.now()];
  await untilRows(company, before + PRELOADED);
  const rate = (before + PRELOADED - first) / ((performance.now() - started) / 1_000);
  await consumer.kill();
  const floor = await insertRate(company);
  return {
    name: `consumer alone, ${count(PRELOADED)} messages`,
    measured: `${count(rate)} rows/s`,
    floor: `${count(floor)} rows/s by JSONEachRow`,
    ratio: `${(rate / floor).toFixed(2)} of it`,
    target: '≥ 0.5',
    isMet: rate / floor >= 0.5,
  };
}

async function insertRate({ clickHouse: { client } }: ServedCompany): Promise<number> {
  await client.command({ query: 'CREATE TABLE headgate.bench_floor AS headgate.raw_executions' });
  const answer = await client.query({
    query: `SELECT * FROM headgate.raw_executions LIMIT ${INSERT_ROWS}`,
    format: 'JSONEachRow',
    clickhouse_settings: { output_format_json_quote_64bit_integers: 1 },
  });
  const values = z.array(z.record(z.string(), z.unknown())).parse(await answer.json());
  const insert = (): Promise<unknown> =>
    client.insert({ table: 'headgate.bench_floor', values, format: 'JSONEachRow' });
  await insert();
  const started = performance.now();
  let inserted = 0;
  while (performance.now() - started < LOAD_MS) {
    await insert();
    inserted += values.length;
  }
  return inserted / ((performance.now() - started) / 1_000);
}
