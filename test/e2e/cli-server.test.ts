import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import {
  ended,
  headgate,
  lineFrom,
  startHeadgate,
  type Ended,
  type Running,
} from '../support/command-line.js';
import { makeWorkedCompany } from '../support/company-by-commands.js';

// Everything that changes something, through the server that holds the data directory.

const cwd = mkdtempSync(join(tmpdir(), 'headgate-cli-'));
const run = (...args: string[]) => headgate(args, { cwd });

let server: Running;
let url = '';
let made: Ended[];

beforeAll(async () => {
  server = startHeadgate(['serve', '--port', '0'], { cwd, environment: { HEADGATE_LOG_LEVEL: 'silent' } });
  url = (await lineFrom(server.stdout, /Headgate serves (http:\S+)/))[1] ?? '';
  made = await makeWorkedCompany(cwd);
});

afterAll(async () => {
  server.kill('SIGTERM');
  await ended(server);
  rmSync(cwd, { recursive: true, force: true });
});

const late = (id: string, type = 'org.upserted'): string =>
  JSON.stringify({
    specversion: '1.0',
    id,
    source: '/late',
    type,
    subject: 'org_new',
    time: '2026-04-01T00:00:00Z',
    data: {},
  });

test('files, catalogs and transforms go through it as they go in process', async () => {
  const [ingested, published, transformed] = made;
  // On a slow machine a command that waits says so, every fifteen seconds.
  const errors = (stderr: string): string => stderr.replace(/^the server is working on it, \d+ s …\n/gm, '');
  expect(made.map(({ code, stderr }) => [code, errors(stderr)])).toEqual([
    [0, ''],
    [0, ''],
    [0, ''],
  ]);
  expect(ingested?.stdout).toMatch(/events\.ndjson +54 +2/);
  expect(published?.stdout).toContain('published as version 1 of worked');
  expect(transformed?.stdout).toContain('as of 2026-05-01T00:00:00Z');
  const mrr = await run(
    'sql',
    "SELECT sum(close_minor) AS close FROM mrr_months WHERE currency = 'USD' AND dimension = 'all'",
    '--json',
  );
  // 24,880 + 39,880 + 38,600 + 31,600
  expect(JSON.parse(mrr.stdout)).toEqual([{ close: 134_960 }]);
});

test('the same file again changes nothing, standard input streams in, and a file that is not there is named', async () => {
  expect((await run('ingest', 'events.ndjson')).stdout).toContain('was taken in before; nothing changed');
  const input = await headgate(['ingest', '-', '--json'], {
    cwd,
    input: `${late('late-1')}\n${late('late-2')}\n`,
  });
  expect(JSON.parse(input.stdout)).toEqual({
    files: [{ file: '-', accepted: 2, quarantined: 0, is_known: false }],
  });
  const absent = await run('ingest', 'absent.ndjson');
  expect(absent.code).toBe(1);
  expect(absent.stderr).toContain('absent.ndjson');
  expect((await run('doctor')).stdout).toContain('the current run has not seen 2 installs');
});

test('quarantined events are shown, fixed and discarded through it, and none twice', async () => {
  const Events = z.object({ events: z.array(z.object({ quarantine_id: z.string(), reason: z.string() })) });
  const { events } = Events.parse(JSON.parse((await run('quarantine', 'list', '--json')).stdout));
  const misspelled = events.find(({ reason }) => reason !== 'invalid_json')?.quarantine_id ?? '';
  const prose = events.find(({ reason }) => reason === 'invalid_json')?.quarantine_id ?? '';
  expect((await run('quarantine', 'show', prose)).stdout).toContain('this is not JSON');
  const refused = await headgate(['quarantine', 'fix', misspelled, '--with', '-'], {
    cwd,
    input: '{"still":"bad"}',
  });
  expect(refused.code).toBe(1);
  const fixed = JSON.stringify({
    specversion: '1.0',
    id: 'bad-1',
    source: '/product/app',
    type: 'org.upserted',
    subject: 'org_ada',
    time: '2026-01-04T00:00:00Z',
    data: {},
  });
  expect(
    await headgate(['quarantine', 'fix', misspelled, '--with', '-'], { cwd, input: fixed }),
  ).toMatchObject({ code: 0 });
  expect((await run('quarantine', 'fix', misspelled, '--with', 'catalog.yaml')).code).toBe(1);
  expect((await run('quarantine', 'discard', prose, '--reason', 'prose')).code).toBe(0);
  expect((await run('quarantine', 'discard', prose, '--reason', 'again')).stderr).toContain(
    'is discarded already',
  );
  expect((await run('quarantine', 'list')).stdout).toContain('nothing is open');
  expect((await run('replay', '--json')).stdout).toBe('{"replayed":0,"still_open":0}\n');
});

test('a conflict is decided through it', async () => {
  const { conflicts } = z
    .object({ conflicts: z.array(z.object({ conflict_id: z.string() })) })
    .parse(JSON.parse((await run('quarantine', 'conflicts', '--status', 'open', '--json')).stdout));
  const [conflict] = conflicts;
  const decided = await run(
    'quarantine',
    'decide',
    conflict?.conflict_id ?? '',
    'other',
    '--reason',
    'by hand',
  );
  expect(decided.stdout).toContain('the other one stands from the next transform on');
});

test('a key is made, works over HTTP with its scopes alone, and is refused once revoked', async () => {
  const made = await run('keys', 'create', 'a tool', '--role', 'sales', '--json');
  const { key, secret } = z
    .object({ key: z.object({ key_id: z.string() }), secret: z.string() })
    .parse(JSON.parse(made.stdout));
  const ask = (path: string) => fetch(`${url}${path}`, { headers: { authorization: `Bearer ${secret}` } });
  expect((await ask('/v1/leads')).status).toBe(200);
  expect((await ask('/v1/commissions')).status).toBe(403);
  expect((await run('keys', 'list')).stdout).not.toContain(secret);
  await run('keys', 'revoke', key.key_id);
  await expect.poll(async () => (await ask('/v1/leads')).status, { timeout: 10_000 }).toBe(401);
});

test('what needs the directory to itself refuses and names the process that holds it', async () => {
  for (const args of [['migrate'], ['serve', '--port', '0']]) {
    const { code, stderr } = await run(...args);
    expect(code).toBe(1);
    expect(stderr).toContain(`held by process ${server.pid ?? 0} (headgate serve`);
  }
});
