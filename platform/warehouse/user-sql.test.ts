import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LakeFiles } from '../lake-files.js';
import { UserSql, type UserSqlOptions } from './user-sql.js';
import type { RunLocation } from './warehouse.js';

const root = mkdtempSync(join(tmpdir(), 'headgate-user-sql-'));
const lake = new LakeFiles(join(root, 'lake'));
const run: RunLocation = { runId: 'run_1', location: join(root, 'runs', 'run_1') };
const options: UserSqlOptions = {
  timeoutMs: 20_000,
  memoryMib: 256,
  maxRows: 1000,
  concurrent: 2,
  temporaryDirectory: root,
};
const userSql = new UserSql(lake, options);

beforeAll(async () => {
  const month = lake.monthDirectory('billing', '2026-01');
  mkdirSync(month, { recursive: true });
  mkdirSync(run.location, { recursive: true });
  const instance = await DuckDBInstance.create(join(run.location, 'marts.duckdb'));
  const connection = await instance.connect();
  await connection.run(`CREATE TABLE mrr_months AS
    SELECT DATE '2026-01-01' AS month, 9007199254740993::BIGINT AS close_minor, 0.5::DECIMAL(38,12) AS share,
      TIMESTAMP '2026-01-31 10:00:00.25' AS at, NULL::VARCHAR AS nothing`);
  await connection.run(`COPY (SELECT 0 AS log_partition, 7::BIGINT AS log_offset, 'evt_1' AS id)
    TO '${join(month, '1-7.parquet')}' (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();
  writeFileSync(join(root, 'secret.csv'), 'a\n1\n');
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

test('marts and raw tables answer, big integers and decimals whole, instants in UTC', async () => {
  const result = await userSql.query(run, 'SELECT * FROM mrr_months; -- with a comment behind');
  expect(result.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
    'month DATE',
    'close_minor BIGINT',
    'share DECIMAL(38,12)',
    'at TIMESTAMP',
    'nothing VARCHAR',
  ]);
  expect(result.rows).toEqual([
    ['2026-01-01', 9007199254740993n, '0.500000000000', '2026-01-31T10:00:00.250000Z', null],
  ]);
  expect((await userSql.query(run, 'SELECT id, log_offset FROM raw_billing')).rows).toEqual([['evt_1', 7n]]);
  expect((await userSql.query(null, 'SELECT count(*) FROM raw_crm')).rows).toEqual([[0n]]);
});

test.each([
  [`COPY (SELECT 1) TO '${join(root, 'lake', 'out.parquet')}'`, 'sql_not_read_only'],
  ['CREATE TABLE mine AS SELECT 1', 'sql_not_read_only'],
  ['INSERT INTO mrr_months SELECT * FROM mrr_months', 'sql_not_read_only'],
  ['DELETE FROM mrr_months', 'sql_not_read_only'],
  [`SET memory_limit = '100GB'`, 'sql_not_read_only'],
  [`ATTACH '${join(root, 'other.duckdb')}'`, 'sql_not_read_only'],
  ['INSTALL httpfs', 'sql_not_read_only'],
  [`EXPLAIN ANALYZE COPY (SELECT 1) TO '${join(root, 'lake', 'out.parquet')}'`, 'sql_not_read_only'],
  ['CALL enable_logging()', 'sql_not_read_only'],
  [`SELECT * FROM read_csv('${join(root, 'secret.csv')}')`, 'sql_not_read_only'],
  [`SELECT * FROM read_text('${root}/lake/../secret.csv')`, 'sql_not_read_only'],
  [`SELECT * FROM glob('/*')`, 'sql_not_read_only'],
  [`SELECT * FROM query('COPY (SELECT 1) TO ''${join(root, 'lake', 'out.parquet')}''')`, 'invalid_sql'],
  ['SELECT 1; DELETE FROM mrr_months', 'invalid_sql'],
  ['SELEC 1', 'invalid_sql'],
  ['SELECT * FROM no_such_table', 'invalid_sql'],
  ['SELECT $1', 'invalid_sql'],
  ['', 'invalid_sql'],
])('%s is refused', async (statement, code) => {
  await expect(userSql.query(run, statement)).rejects.toMatchObject({ code, retryable: false });
  expect(readdirSync(join(root, 'lake'))).toEqual(['billing']);
});

test('a statement that takes too long is stopped, and the next one runs', async () => {
  const impatient = new UserSql(lake, { ...options, timeoutMs: 50 });
  await expect(
    impatient.query(
      run,
      'SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range * b.range = 7',
    ),
  ).rejects.toMatchObject({ code: 'query_timeout' });
  expect((await impatient.query(run, 'SELECT 1')).rows).toEqual([[1]]);
});

test('a statement that needs more memory than it may have ends with an error, not with the process', async () => {
  const small = new UserSql(lake, { ...options, memoryMib: 64 });
  await expect(small.query(run, 'SELECT list(range) FROM range(50000000)')).rejects.toMatchObject({
    code: 'result_too_large',
  });
});

test('more rows than allowed are refused rather than cut', async () => {
  await expect(userSql.query(run, 'SELECT * FROM range(1001)')).rejects.toMatchObject({
    code: 'result_too_large',
  });
  await expect(userSql.parquet(run, 'FROM range(1001)')).rejects.toMatchObject({ code: 'result_too_large' });
  expect((await userSql.query(run, 'FROM range(1000)')).rows).toHaveLength(1000);
});

test('a statement that fails in the middle of its rows says why, and half of them are no answer', async () => {
  const patient = new UserSql(lake, { ...options, maxRows: 1_000_000 });
  const statement = `SELECT CASE WHEN range = 900000 THEN error('too far') ELSE range::VARCHAR END FROM range(1000000)`;
  await expect(patient.query(run, statement)).rejects.toMatchObject({
    code: 'invalid_sql',
    message: expect.stringContaining('too far') as string,
  });
});

test('parquet comes back as a whole file and leaves nothing behind', async () => {
  const bytes = await userSql.parquet(run, `SELECT 'it''s' AS text FROM mrr_months;`);
  expect(Buffer.from(bytes.slice(0, 4)).toString()).toBe('PAR1');
  expect(readdirSync(root).sort()).toEqual(['lake', 'runs', 'secret.csv']);
});

test('with as many queries running as allowed, one more is told to come back', async () => {
  const one = new UserSql(lake, { ...options, concurrent: 1 });
  const first = one.query(run, 'SELECT 1');
  await expect(one.query(run, 'SELECT 2')).rejects.toMatchObject({ code: 'unavailable', retryable: true });
  expect((await first).rows).toEqual([[1]]);
});

test('a run whose marts are gone is named', async () => {
  await expect(
    userSql.query({ runId: 'run_9', location: join(root, 'runs', 'run_9') }, 'SELECT 1'),
  ).rejects.toMatchObject({ code: 'run_not_found' });
});
