import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { serve, type RunningServer } from '../../api/serve.js';
import { openRuntime, systemClock, type Runtime } from '../../cli/runtime.js';
import { STREAMS } from '../../core/raw-event.js';
import { loadConfig } from '../../platform/config.js';
import { directoryHolder } from '../../platform/data-directory.js';

/** A served data directory; its process is this one. */
async function open(root: string): Promise<{ runtime: Runtime; server: RunningServer }> {
  const runtime = await openRuntime({
    config: loadConfig({ HEADGATE_DATA: root, HEADGATE_LOG_LEVEL: 'silent' }),
    command: 'headgate serve',
    clock: systemClock,
    environment: {},
    onProgress: () => undefined,
  });
  const server = await serve({
    services: runtime.services,
    host: '127.0.0.1',
    port: 0,
    publishServer: (published) => runtime.directory.publishServer(published),
  });
  return { runtime, server };
}

const event = (id: string) => ({
  specversion: '1.0',
  id,
  source: 'test',
  type: 'session.active',
  subject: 'org_1',
  time: '2026-01-01T00:00:00Z',
  data: { userId: 'u' },
});

const headersOf = ({ services }: Runtime) => ({
  authorization: `Bearer ${services.localToken}`,
  'content-type': 'application/json',
});

const Row = z.object({ id: z.string(), copies: z.bigint() });

async function storedIds({ services }: Runtime): Promise<string[]> {
  const all = STREAMS.map((stream) => `select id from raw_${stream}`).join(' union all ');
  const rows = await services.warehouse.query(
    `select id, count(*) as copies from (${all}) group by id`,
    {},
    Row,
  );
  return rows.map(({ id }) => id);
}

async function inTemporary(work: (root: string) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'headgate-serve-'));
  try {
    await work(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

describe('a server', () => {
  test('says where it is to those who may read its data directory, until it stops; its port is its own', () =>
    inTemporary(async (root) => {
      const { runtime, server } = await open(root);
      const holder = directoryHolder(root);
      expect(holder).toMatchObject({
        pid: process.pid,
        server: { url: server.url, token: runtime.services.localToken },
      });
      const answer = await fetch(`${server.url}/readyz`);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        200,
        'application/json; charset=utf-8',
      ]);
      const again = serve({
        services: runtime.services,
        host: '127.0.0.1',
        port: Number(new URL(server.url).port),
        publishServer: () => Promise.resolve(),
      });
      await expect(again).rejects.toMatchObject({ code: 'already_exists' });
      await server.stop(1000);
      await runtime.close();
      expect(directoryHolder(root)).toBeNull();
      await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
    }));

  test('that stops while events pour in loses none that it accepted, and answers none it did not take', () =>
    inTemporary(async (root) => {
      const { runtime, server } = await open(root);
      const accepted: string[] = [];
      const unsure: string[] = [];
      let sent = 0;
      const stops: Promise<void>[] = [];
      const caller = async (name: number): Promise<void> => {
        for (let count = 0; ; count += 1) {
          const id = `${name}_${count}`;
          try {
            sent += 1;
            const answer = await fetch(`${server.url}/v1/events`, {
              method: 'POST',
              headers: headersOf(runtime),
              body: JSON.stringify([event(`${id}_a`), event(`${id}_b`)]),
            });
            if (answer.status === 200) {
              const { results } = z
                .object({ results: z.array(z.object({ id: z.string(), status: z.string() })) })
                .parse(await answer.json());
              accepted.push(...results.filter(({ status }) => status === 'accepted').map((one) => one.id));
            } else {
              // Turned away: told to come back, and nothing of it taken.
              expect(answer.status).toBe(503);
              unsure.push(id);
            }
          } catch {
            // The connection ended without an answer: whoever sent it sends it again.
            return;
          }
          if (accepted.length > 200 && stops.length === 0) stops.push(server.stop(10_000));
        }
      };
      await Promise.all(Array.from({ length: 16 }, (_, name) => caller(name)));
      expect(stops).toHaveLength(1);
      await Promise.all(stops);
      await runtime.close();
      expect(accepted.length).toBeGreaterThan(200);
      expect(sent).toBeGreaterThan(100);

      const reopened = await open(root);
      const stored = new Set(await storedIds(reopened.runtime));
      expect(accepted.filter((id) => !stored.has(id))).toEqual([]);
      expect(unsure.filter((id) => stored.has(`${id}_a`) || stored.has(`${id}_b`))).toEqual([]);
      await reopened.server.stop(1000);
      await reopened.runtime.close();
    }));

  test('that stops answers a request under way, and cuts off one that never ends when its grace is over', () =>
    inTemporary(async (root) => {
      const { runtime, server } = await open(root);
      let sendRest = (): void => undefined;
      const slow = new ReadableStream<Uint8Array>({
        start: (controller) => {
          controller.enqueue(Buffer.from('['));
          sendRest = () => {
            controller.enqueue(Buffer.from(`${JSON.stringify(event('slow'))}]`));
            controller.close();
          };
        },
      });
      const headers = headersOf(runtime);
      const post = fetch(`${server.url}/v1/events`, { method: 'POST', headers, body: slow, duplex: 'half' });
      await underWay(runtime);
      const stopped = server.stop(20_000);
      expect(runtime.services.shutdown.signal.aborted).toBe(true);
      sendRest();
      expect((await post).status).toBe(200);
      await stopped;
      expect(await storedIds(runtime)).toEqual(['slow']);

      const second = await serve({
        services: runtime.services,
        host: '127.0.0.1',
        port: 0,
        publishServer: (published) => runtime.directory.publishServer(published),
      });
      const endless = new ReadableStream<Uint8Array>({
        start: (controller) => {
          controller.enqueue(Buffer.from('['));
        },
      });
      const hanging = fetch(`${second.url}/v1/events`, {
        method: 'POST',
        headers,
        body: endless,
        duplex: 'half',
      });
      const cut = expect(hanging).rejects.toThrow();
      await underWay(runtime);
      await second.stop(50);
      await cut;
      await runtime.close();
    }));
});

/** Waits until the server has answered something else: what was sent before that has arrived. */
async function underWay(runtime: Runtime): Promise<void> {
  const holder = directoryHolder(runtime.directory.root);
  for (let count = 0; count < 3; count += 1) await fetch(`${holder?.server?.url ?? ''}/healthz`);
}
