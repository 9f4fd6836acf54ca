import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { NOW, openApiTestBed, type ApiTestBed } from '../api-test-bed.js';
import { publishHandMadeRun } from '../hand-made-run.js';
import { SMALL_RUN } from '../small-run.js';

let bed: ApiTestBed;
let runId: string;
beforeAll(async () => {
  bed = await openApiTestBed({ HEADGATE_SQL_MAX_ROWS: '100', HEADGATE_SQL_TIMEOUT_SECONDS: '2' });
  runId = await publishHandMadeRun(bed.runtime, { asOf: NOW, rows: SMALL_RUN });
});
afterAll(() => bed.close());

const Result = z.object({
  run_id: z.string().nullable(),
  as_of: z.string().nullable(),
  columns: z.array(z.object({ name: z.string(), type: z.string() })),
  rows: z.array(z.record(z.string(), z.unknown())),
});
const run = (sql: string, more: Readonly<Record<string, unknown>> = {}) =>
  bed.call({ path: '/v1/sql', json: { sql, ...more } });

describe('SQL that people send', () => {
  test('reads marts by their names, and says which run it read', async () => {
    const result = (await run('select lead_id, score from lead_scores order by lead_id limit 2')).as(Result);
    expect(result).toMatchObject({
      run_id: runId,
      as_of: '2026-06-01T12:00:00Z',
      columns: [{ name: 'lead_id' }, { name: 'score' }],
      rows: [
        { lead_id: 'lead_00', score: 0 },
        { lead_id: 'lead_01', score: 1 },
      ],
    });
  });

  test('gets numbers that a double holds as numbers, and others as strings', async () => {
    const { rows } = (
      await run(
        `select 9007199254740991 as held, 9007199254740992 as not_held, -9007199254740993 as below, 0.10::decimal(4,2) as decimal,
           date '2026-02-01' as day, timestamp '2026-02-01 10:00:00' as instant, null as nothing, [1, 2] as list, 1 as a, 2 as a`,
      )
    ).as(Result);
    expect(rows).toEqual([
      {
        held: 9007199254740991,
        not_held: '9007199254740992',
        below: '-9007199254740993',
        decimal: '0.10',
        day: '2026-02-01',
        instant: '2026-02-01T10:00:00Z',
        nothing: null,
        list: [1, 2],
        a: 1,
        a_2: 2,
      },
    ]);
  });

  test('can be had as CSV and as Parquet', async () => {
    const csv = await run(`select 'a,"b"' as text, null as nothing, '' as empty, 1.50 as number`, {
      format: 'csv',
    });
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(csv.headers.get('headgate-run')).toBe(runId);
    expect(csv.text).toBe('text,nothing,empty,number\r\n"a,""b""",,"",1.50\r\n');
    const parquet = await run('select 1 as one', { format: 'parquet' });
    expect(parquet.headers.get('content-type')).toBe('application/vnd.apache.parquet');
    expect(parquet.text.slice(0, 4)).toBe('PAR1');
  });

  test.each([
    `insert into lead_scores (lead_id) values ('x')`,
    `delete from lead_scores`,
    `attach '/etc/passwd' as x`,
    `copy lead_scores to '/tmp/out.csv'`,
    `install httpfs`,
    `pragma enable_profiling`,
    `set memory_limit = '10GB'`,
    `/* select */ drop table lead_scores`,
  ])('cannot write or reach out: %s', async (sql) => {
    const answer = await run(sql);
    expect(answer.status).toBe(400);
    expect(['sql_not_read_only', 'invalid_sql']).toContain(answer.problem().code);
  });

  test.each([
    `select * from read_csv('/etc/passwd')`,
    `select * from read_text('/proc/self/environ')`,
    `select * from glob('/**')`,
    `select * from 'https://example.com/x.parquet'`,
    `select getenv('PATH')`,
    `select * from '/etc/hostname'`,
  ])('cannot read the machine: %s', async (sql) => {
    const answer = await run(sql);
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain('root:');
    expect(answer.text).not.toContain(bed.root);
  });

  test('is stopped when it is too long or gives too much', async () => {
    const endless = await run(`select sum(a.range * b.range) from range(10000000) a, range(10000000) b`);
    expect([endless.status, endless.problem().code]).toEqual([422, 'query_timeout']);
    const large = await run('select * from range(101)');
    expect([large.status, large.problem().code]).toEqual([422, 'result_too_large']);
    expect((await run('select * from range(100)')).as(Result).rows).toHaveLength(100);
  });

  test('can name a run, and is told when it is not there', async () => {
    expect((await run('select 1 as one', { run_id: runId })).as(Result).run_id).toBe(runId);
    expect((await run('select 1 as one', { run_id: 'run_x' })).problem().code).toBe('run_not_found');
    expect((await run('select 1 as one', { as_of: '2020-01-01T00:00:00Z' })).problem().code).toBe(
      'no_run_as_of',
    );
  });

  test('is not for a key that may see only part of what is there', async () => {
    const part = await bed.keyWith('metrics:read', 'leads:read', 'billing:read');
    const answer = await bed.call({ path: '/v1/sql', key: part, json: { sql: 'select 1' } });
    expect(answer.problem()).toMatchObject({ code: 'scope_missing', status: 403 });
  });
});

test('before the first run there are the raw tables', async () => {
  const empty = await openApiTestBed();
  try {
    const answer = await empty.call({
      path: '/v1/sql',
      json: { sql: 'select count(*) as events from raw_billing' },
    });
    expect(answer.as(Result)).toMatchObject({ run_id: null, as_of: null, rows: [{ events: 0 }] });
  } finally {
    await empty.close();
  }
});
