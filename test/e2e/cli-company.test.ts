import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  bytesFrom,
  ended,
  headgate,
  lineFrom,
  startHeadgate,
  type Ended,
  type Running,
} from '../support/command-line.js';
import { ASKED_TWICE, QUESTIONS } from './questions.js';
import { makeWorkedCompany } from '../support/company-by-commands.js';

const cwd = mkdtempSync(join(tmpdir(), 'headgate-cli-'));
const run = (...args: string[]) => headgate(args, { cwd });

let made: Ended[];
const inProcess = new Map<string, Ended>();

beforeAll(async () => {
  made = await makeWorkedCompany(cwd);
  for (const question of QUESTIONS.filter((each) => ASKED_TWICE.has(each.join(' ')))) {
    inProcess.set(question.join(' '), await run(...question, '--json'));
  }
});

afterAll(() => {
  rmSync(cwd, { recursive: true, force: true });
});

test('ingest tells what was accepted and what was not; the rest says what it did', () => {
  const [ingested, published, transformed] = made;
  expect(made.map(({ code }) => code)).toEqual([0, 0, 0]);
  // The worked case's 52 lines and two leads; a misspelled type and a line of prose.
  expect(ingested?.stdout).toMatch(/events\.ndjson +54 +2/);
  expect(published?.stdout).toContain('published as version 1 of worked');
  expect(transformed?.stdout).toContain('as of 2026-05-01T00:00:00Z');
});

test.each([...ASKED_TWICE])('in process: headgate %s --json prints one JSON document', (question) => {
  const answer = inProcess.get(question);
  expect(answer).toMatchObject({ code: 0, stderr: '' });
  expect(() => JSON.parse(answer?.stdout ?? '') as unknown).not.toThrow();
});

const Values = z.object({
  values: z.array(z.looseObject({ period: z.string(), currency: z.string(), value: z.string() })),
});

test('MRR is what the worked case comes to by hand', () => {
  const { values } = Values.parse(JSON.parse(inProcess.get('metrics mrr')?.stdout ?? ''));
  const dollars = values
    .filter(({ currency }) => currency === 'USD')
    .map(({ period, value }) => [period, value]);
  expect(dollars).toEqual([
    ['2026-01-01', '24880'],
    ['2026-02-01', '39880'],
    ['2026-03-01', '38600'],
    ['2026-04-01', '31600'],
  ]);
});

const Drill = z.object({
  sides: z.record(z.string(), z.object({ sum: z.string() })),
  rows: z.array(z.object({ amount: z.string() })),
});

test('a drill adds up to the number it opens', () => {
  const { sides, rows } = Drill.parse(
    JSON.parse(inProcess.get('drill mrr month=2026-04-01 currency=USD')?.stdout ?? ''),
  );
  expect(sides['value']?.sum).toBe('31600');
  expect(rows.reduce((sum, { amount }) => sum + Number(amount), 0)).toBe(31_600);
});

test('the overage of the worked case: 250 tasks over, in two blocks or parts of one, and its events add up to what was used', async () => {
  const preview = await run('billing', 'preview', '--period', '2026-04', '--json');
  const { lines } = z
    .object({ lines: z.array(z.looseObject({ line_id: z.string(), used: z.string() })) })
    .parse(JSON.parse(preview.stdout));
  expect(lines).toMatchObject([
    { org_id: 'org_ada', used: '1250', included: '1000', overage: '250', amount_minor: '500' },
  ]);
  const explained = await run('billing', 'explain', lines[0]?.line_id ?? '', '--period', '2026-04', '--json');
  const { events } = z
    .object({ events: z.array(z.looseObject({ quantity: z.string() })) })
    .parse(JSON.parse(explained.stdout));
  expect(events.reduce((sum, { quantity }) => sum + Number(quantity), 0)).toBe(1250);
});

test('without a run the commands that need one say how to make one', async () => {
  await run('keys', 'create', 'somebody', '--role', 'founder', '--data', 'empty');
  const { code, stderr } = await run('metrics', 'mrr', '--data', 'empty');
  expect(code).toBe(1);
  expect(stderr).toContain('make them with: headgate transform');
  const json = await run('metrics', 'mrr', '--data', 'empty', '--json');
  expect(JSON.parse(json.stderr)).toMatchObject({
    code: 'no_run',
    details: { command: 'headgate transform' },
  });
});

test('global options mean the same before and after the command', async () => {
  const elsewhere = { cwd: tmpdir() };
  const data = join(cwd, '.headgate');
  const before = await headgate(['--data', data, '--json', 'runs'], elsewhere);
  const after = await headgate(['runs', '--json', '--data', data], elsewhere);
  expect(before).toMatchObject({ code: 0, stderr: '' });
  expect(after).toEqual(before);
});

test('a month that is closed stays closed on its run', async () => {
  const first = await run('metrics', 'close', '2026-04', '--json');
  const second = await run('metrics', 'close', '2026-04', '--json');
  expect(first.code).toBe(0);
  expect(JSON.parse(first.stdout)).toMatchObject({ month: '2026-04-01', closed_by: 'local' });
  expect(second).toEqual(first);
});

describe('while a server holds the data directory', () => {
  let server: Running;
  let url = '';

  beforeAll(async () => {
    server = startHeadgate(['serve', '--port', '0'], { cwd, environment: { HEADGATE_LOG_LEVEL: 'silent' } });
    url = (await lineFrom(server.stdout, /Headgate serves (http:\S+)/))[1] ?? '';
  });

  test.each(QUESTIONS.map((question) => question.join(' ')))(
    'headgate %s: one JSON document, the same as in process',
    async (question) => {
      const args = QUESTIONS.find((each) => each.join(' ') === question) ?? [];
      const answer = await run(...args, '--json');
      expect(answer).toMatchObject({ code: 0, stderr: '' });
      expect(() => JSON.parse(answer.stdout) as unknown).not.toThrow();
      if (ASKED_TWICE.has(question)) expect(answer).toEqual(inProcess.get(question));
    },
  );

  test.each(QUESTIONS.map((question) => question.join(' ')))(
    'headgate %s is readable by people',
    async (question) => {
      const args = QUESTIONS.find((each) => each.join(' ') === question) ?? [];
      const { code, stdout, stderr } = await run(...args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout.trim()).not.toBe('');
      // Nothing that a table should have formatted: raw objects, undefined, or trailing blanks.
      expect(stdout).not.toMatch(/undefined|\[object Object\]|NaN| +$/m);
    },
  );

  describe('sql', () => {
    test('--format json is one array of objects, exact whatever the size', async () => {
      const select =
        'SELECT 9007199254740993::BIGINT AS big, 7::BIGINT AS small, 1.50::DECIMAL(9,2) AS decimal, ' +
        "DATE '2026-01-31' AS day, TIMESTAMP '2026-01-31 10:00:00' AS instant, NULL AS nothing, true AS yes";
      const { code, stdout } = await run('sql', select, '--format', 'json');
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toEqual([
        {
          big: '9007199254740993',
          small: 7,
          decimal: '1.50',
          day: '2026-01-31',
          instant: '2026-01-31T10:00:00Z',
          nothing: null,
          yes: true,
        },
      ]);
    });

    test('--format csv quotes what needs it', async () => {
      const { stdout } = await run(
        'sql',
        'SELECT 1 AS n, \'a,"b"\' AS text, NULL AS nothing',
        '--format',
        'csv',
      );
      expect(stdout).toBe('n,text,nothing\r\n1,"a,""b""",\r\n');
    });

    test('--format parquet is a file that another DuckDB reads', async () => {
      const select = "SELECT month, close_minor FROM mrr_months WHERE currency = 'USD' AND dimension = 'all'";
      const { code, bytes } = await bytesFrom(['sql', select, '--format', 'parquet'], { cwd });
      expect(code).toBe(0);
      const file = join(cwd, 'rows.parquet');
      writeFileSync(file, bytes);
      const connection = await (await DuckDBInstance.create(':memory:')).connect();
      const rows = await connection.runAndReadAll(
        `SELECT sum(close_minor)::BIGINT FROM read_parquet('${file}')`,
      );
      // 24,880 + 39,880 + 38,600 + 31,600
      expect(rows.getRows()).toEqual([[134_960n]]);
      connection.closeSync();
    });

    test.each([
      ['DROP TABLE mrr_months', 'only SELECT'],
      ['SELECT 1; SELECT 2', 'one statement'],
      ['SELEKT 1', 'sql'],
      ["SELECT * FROM read_text('/etc/passwd')", 'sql'],
    ])('%s is refused', async (statement, says) => {
      const { code, stdout, stderr } = await run('sql', statement);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain(says);
      expect(stderr).not.toContain('root:');
    });
  });

  test.each([
    { args: ['metrics', 'mmr'], says: 'did you mean "mrr"' },
    { args: ['metrics', 'mrr', '--by', 'pln'], says: 'plan' },
    {
      args: ['metrics', 'mrr', '--as-of', '2026-03-01'],
      says: 'headgate transform --as-of 2026-03-01T00:00:00Z',
    },
    { args: ['orgs', 'show', 'org_nobody'], says: 'org_nobody' },
    { args: ['leads', 'show', 'lead_nobody'], says: 'lead_nobody' },
    { args: ['quarantine', 'show', 'qrn_00'], says: 'qrn_00' },
    { args: ['catalog', 'show', '--number', '9'], says: 'no version 9' },
    { args: ['metrics', 'close', '2026-05'], says: 'the month ends 2026-06-01T00:00:00Z' },
  ])('what cannot be answered is 1 and says why: headgate $args', async ({ args, says }) => {
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(says);
  });

  test('doctor reaches every part and finds what waits', async () => {
    const { code, stdout } = await run('doctor', '--json');
    const { checks } = z
      .object({ checks: z.array(z.object({ part: z.string(), state: z.string(), says: z.string() })) })
      .parse(JSON.parse(stdout));
    expect(code).toBe(0);
    const says = new Map(checks.map(({ part, says: what }) => [part, what]));
    expect(says.get('data directory')).toContain(`serves ${url}`);
    expect(says.get('warehouse')).toContain('54 raw events');
    expect(says.get('audit log')).toContain('the chain is whole');
    // The two bad lines, and the identity that the worked case has with two contents.
    expect(says.get('quarantine')).toBe('2 events did not pass, 1 conflict is undecided');
    expect(says.get('key files')).toBe('they are');
  });

  afterAll(async () => {
    server.kill('SIGTERM');
    expect((await ended(server)).code).toBe(0);
    // Free again: the same question in process.
    expect((await run('runs')).code).toBe(0);
  });
});
