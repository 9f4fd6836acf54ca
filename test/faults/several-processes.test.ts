import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { hasClickHouse, startClickHouse, type ClickHouse } from '../support/clickhouse.js';
import { ended, headgate, lineFrom, startHeadgate, type Running } from '../support/command-line.js';
import { hasKafka, startKafka, type KafkaBroker } from '../support/kafka.js';
import { hasPostgres, startPostgres, type Postgres } from '../support/postgres.js';

const SENDERS = 4;
const BATCH = 25;

const Status = z.object({ log: z.object({ lags: z.array(z.object({ messages: z.number() })) }) });
const Counted = z.object({ events: z.number(), ids: z.number() });

/* One company on all three services: two processes with the API, two consumers; each is killed with -9 while events come in. */
describe.runIf(hasPostgres() && hasClickHouse() && hasKafka())(
  'several processes',
  { timeout: 240_000 },
  () => {
    const root = mkdtempSync(join(tmpdir(), 'headgate-several-'));
    const running = new Set<Running>();
    const accepted = new Set<string>();
    let postgres: Postgres;
    let clickHouse: ClickHouse;
    let kafka: KafkaBroker;
    let environment: Record<string, string>;
    let key: string;
    let directories = 0;

    beforeAll(async () => {
      [postgres, clickHouse, kafka] = await Promise.all([startPostgres(), startClickHouse(), startKafka()]);
      environment = {
        DATABASE_URL: await postgres.createDatabase(),
        CLICKHOUSE_URL: `http://127.0.0.1:${clickHouse.port}/headgate`,
        KAFKA_BROKERS: kafka.brokers,
        HEADGATE_KAFKA_PARTITIONS: '4',
        HEADGATE_LOG_LEVEL: 'silent',
        HEADGATE_TOKEN_KEY: randomBytes(32).toString('base64'),
        HEADGATE_VAULT_KEY: randomBytes(32).toString('base64'),
      };
      const made = await headgate(['keys', 'create', 'a test', '--role', 'admin', '--json'], {
        cwd: root,
        environment,
      });
      key = z.looseObject({ secret: z.string() }).parse(JSON.parse(made.stdout)).secret;
    }, 240_000);
    afterAll(async () => {
      for (const process of running) process.kill('SIGKILL');
      await Promise.all([postgres.stop(), clickHouse.stop(), kafka.stop()]);
      rmSync(root, { recursive: true, force: true });
    });

    async function serve(role: string): Promise<{ readonly url: string; kill(): Promise<void> }> {
      const data = join(root, `${role}-${(directories += 1)}`);
      const args = ['serve', '--role', role, '--port', '0', '--data', data];
      const process = startHeadgate(args, { cwd: root, environment });
      running.add(process);
      const [, url = ''] = await lineFrom(process.stdout, /Headgate serves (http:\S+)/);
      return {
        url,
        kill: async () => {
          const gone = ended(process);
          process.kill('SIGKILL');
          await gone;
          running.delete(process);
        },
      };
    }

    const ask = (url: string, path: string, body?: unknown): Promise<Response> =>
      fetch(`${url}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });

    /** Sends batches to whichever API answers, until told to stop. Only what was answered counts as accepted. */
    async function send(sender: number, urls: () => readonly string[], isOver: () => boolean): Promise<void> {
      for (let batch = 0; !isOver(); batch += 1) {
        const events = Array.from({ length: BATCH }, (_, index) => ({
          specversion: '1.0',
          id: `${sender}-${batch}-${index}`,
          source: '/several',
          type: 'session.active',
          subject: `org_${(batch + index) % 17}`,
          time: '2026-04-01T00:00:00Z',
          data: { userId: `usr_${sender}` },
        }));
        const [url = ''] = urls().slice(batch % urls().length);
        const response = await ask(url, '/v1/events', events).catch(() => null);
        if (response?.ok === true) for (const { id } of events) accepted.add(id);
        else await delay(50);
      }
    }

    test('killed in turn under load: what was accepted is counted, each once', async () => {
      const apis = [await serve('api'), await serve('api')];
      const consumers = [await serve('consumer'), await serve('consumer')];
      let isOver = false;
      const senders = Array.from({ length: SENDERS }, (_, sender) =>
        send(
          sender,
          () => apis.map(({ url }) => url),
          () => isOver,
        ),
      );
      for (let turn = 0; turn < 2; turn += 1) {
        await delay(2_000);
        await consumers[turn]?.kill();
        consumers[turn] = await serve('consumer');
        await apis[turn]?.kill();
        apis[turn] = await serve('api');
      }
      await delay(1_000);
      isOver = true;
      await Promise.all(senders);
      expect(accepted.size).toBeGreaterThan(1_000);

      const [{ url } = { url: '' }] = apis;
      const behind = async (): Promise<number> => {
        const { log } = Status.parse(await (await ask(url, '/v1/status')).json());
        return log.lags.reduce((sum, { messages }) => sum + messages, 0);
      };
      await expect.poll(behind, { timeout: 60_000, interval: 500 }).toBe(0);
      const rows = await clickHouse.client.query({
        query: `SELECT toUInt32(count()) AS events, toUInt32(uniqExact(id)) AS ids FROM (
        SELECT id FROM headgate.raw_installs LIMIT 1 BY log_partition, log_offset)`,
        format: 'JSONEachRow',
      });
      const [counted] = z.array(Counted).parse(await rows.json());
      // Sent without an answer, an event may be there all the same; sent again by its sender it would count once.
      expect(counted?.ids).toBeGreaterThanOrEqual(accepted.size);
      const found = await clickHouse.client.query({
        query: 'SELECT DISTINCT id FROM headgate.raw_installs',
        format: 'JSONEachRow',
      });
      const ids = new Set(
        z
          .array(z.object({ id: z.string() }))
          .parse(await found.json())
          .map(({ id }) => id),
      );
      expect([...accepted].filter((id) => !ids.has(id))).toEqual([]);
      // What was sent and not answered may be there as well.
      console.log(`${accepted.size} events accepted, ${counted?.ids ?? 0} there, 4 processes killed`);
    });
  },
);
