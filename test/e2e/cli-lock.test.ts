import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { ended, headgate, lineFrom, startHeadgate, type Running } from '../support/command-line.js';

const cwd = mkdtempSync(join(tmpdir(), 'headgate-cli-'));
const started: Running[] = [];

afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
  rmSync(cwd, { recursive: true, force: true });
});

function start(...args: string[]): Running {
  const child = startHeadgate(args, { cwd, environment: { HEADGATE_LOG_LEVEL: 'silent' } });
  started.push(child);
  return child;
}

const Lock = z.object({
  pid: z.number(),
  server: z.object({ url: z.string(), token: z.string() }).nullable(),
});

function lockOf(data: string): z.infer<typeof Lock> {
  return Lock.parse(JSON.parse(readFileSync(join(cwd, data, 'lock.json'), 'utf8')));
}

function event(id: string): string {
  const time = '2026-01-01T00:00:00Z';
  return JSON.stringify({
    specversion: '1.0',
    id,
    source: '/t',
    type: 'org.upserted',
    subject: 'org_1',
    time,
    data: {},
  });
}

const Status = z.object({
  warehouse: z.object({ streams: z.array(z.object({ stream: z.string(), rows: z.number() })) }),
});

async function serveOn(data: string): Promise<{ server: Running; url: string; token: string }> {
  const server = start('serve', '--port', '0', '--data', data);
  await lineFrom(server.stdout, /Headgate serves/);
  const lock = lockOf(data);
  return { server, url: lock.server?.url ?? '', token: lock.server?.token ?? '' };
}

async function rowsOf({ url, token }: { url: string; token: string }): Promise<number> {
  const answer = await fetch(`${url}/v1/status`, { headers: { authorization: `Bearer ${token}` } });
  const { warehouse } = Status.parse(await answer.json());
  return warehouse.streams.reduce((sum, { rows }) => sum + rows, 0);
}

test('a process that holds the directory without serving is named, and the directory is free when it ends', async () => {
  // It reads standard input, so it holds the directory for as long as we like.
  const holder = start('ingest', '-', '--data', 'held');
  await expect
    .poll(() => existsSync(join(cwd, 'held', 'lock.json')), { timeout: 30_000, interval: 50 })
    .toBe(true);
  const { code, stdout, stderr } = await headgate(['runs', '--data', 'held'], { cwd });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(`process ${holder.pid ?? 0} (headgate ingest`);
  const doctor = await headgate(['doctor', '--data', 'held'], { cwd });
  expect(doctor.code).toBe(0);
  expect(doctor.stdout).toContain(`headgate ingest (process ${holder.pid ?? 0}) has them to itself`);
  holder.stdin.end(`${event('1')}\n`);
  const report = await ended(holder);
  expect(report).toMatchObject({ code: 0 });
  expect((await headgate(['runs', '--data', 'held'], { cwd })).code).toBe(0);
});

test('the lock of a process that was killed counts as nobody', async () => {
  const { server, url, token } = await serveOn('killed');
  const posted = await fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: event('kept'),
  });
  expect(await posted.json()).toMatchObject({ accepted: 1 });
  server.kill('SIGKILL');
  await ended(server);
  expect(lockOf('killed').pid).toBe(server.pid);
  const doctor = await headgate(['doctor', '--data', 'killed', '--json'], { cwd });
  expect(doctor.code).toBe(0);
  // In process, on what the killed one left: its accepted event is there.
  expect(doctor.stdout).toContain('1 raw event ');
  expect(existsSync(join(cwd, 'killed', 'lock.json'))).toBe(false);
});

test('a server that is told to stop answers what is under way and loses nothing it accepted', async () => {
  const first = await serveOn('stopped');
  let sent = 0;
  let accepted = 0;
  let isOver = false;
  const senders = Array.from({ length: 8 }, async () => {
    while (!isOver) {
      sent += 1;
      try {
        const answer = await fetch(`${first.url}/v1/events`, {
          method: 'POST',
          headers: { authorization: `Bearer ${first.token}`, 'content-type': 'application/json' },
          body: event(`event-${sent}`),
        });
        if (answer.ok) accepted += 1;
        else isOver = true;
      } catch {
        // Refused or cut off: not accepted, so nothing was promised.
        isOver = true;
      }
      if (accepted === 200) first.server.kill('SIGTERM');
    }
  });
  const stopped = ended(first.server);
  await Promise.all(senders);
  expect((await stopped).code).toBe(0);
  expect(existsSync(join(cwd, 'stopped', 'lock.json'))).toBe(false);
  expect(accepted).toBeGreaterThanOrEqual(200);

  const second = await serveOn('stopped');
  const rows = await rowsOf(second);
  expect(rows).toBeGreaterThanOrEqual(accepted);
  expect(rows).toBeLessThanOrEqual(sent);
  second.server.kill('SIGINT');
  expect((await ended(second.server)).code).toBe(0);
});

test('a directory of a newer version is refused before anything in it is touched', async () => {
  const made = await headgate(['ingest', '-', '--data', 'newer'], { cwd, input: `${event('1')}\n` });
  expect(made.code).toBe(0);
  const file = join(cwd, 'newer', 'version.json');
  writeFileSync(file, '{"format": 99}');
  const { code, stderr } = await headgate(['runs', '--data', 'newer'], { cwd });
  expect(code).toBe(1);
  expect(stderr).toContain('written by a newer headgate (format 99');
});
