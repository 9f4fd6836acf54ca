import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, afterEach, expect, test } from 'vitest';
import { LakeFiles } from '../lake-files.js';
import { DuckdbUserSql } from './duckdb-user-sql.js';
import { userSqlContract, withLimits } from './user-sql.contract.js';
import type { RunLocation } from './warehouse.js';

const root = mkdtempSync(join(tmpdir(), 'headgate-user-sql-'));
const lake = new LakeFiles(join(root, 'lake'));
const run: RunLocation = { runId: 'run_1', location: join(root, 'runs', 'run_1') };
const out = join(root, 'lake', 'out.parquet');
const secret = join(root, 'secret.csv');

afterEach(() => {
  // Whatever was asked for, nothing of it is left.
  expect(readdirSync(root).sort()).toEqual(['lake', 'runs', 'secret.csv']);
  expect(readdirSync(join(root, 'lake'))).toEqual(['billing']);
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

userSqlContract(
  'DuckDB',
  {
    endless: 'SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range * b.range = 7',
    greedy: 'SELECT list(range) FROM range(50000000)',
    numbers: (count) => `range(${count})`,
    refused: [
      [`COPY (SELECT 1) TO '${out}'`, 'sql_not_read_only'],
      ['CREATE TABLE mine AS SELECT 1', 'sql_not_read_only'],
      ['INSERT INTO mrr_months SELECT * FROM mrr_months', 'sql_not_read_only'],
      ['DELETE FROM mrr_months', 'sql_not_read_only'],
      [`SET memory_limit = '100GB'`, 'sql_not_read_only'],
      [`ATTACH '${join(root, 'other.duckdb')}'`, 'sql_not_read_only'],
      ['INSTALL httpfs', 'sql_not_read_only'],
      [`EXPLAIN ANALYZE COPY (SELECT 1) TO '${out}'`, 'sql_not_read_only'],
      ['CALL enable_logging()', 'sql_not_read_only'],
      [`SELECT * FROM read_csv('${secret}')`, 'sql_not_read_only'],
      [`SELECT * FROM read_text('${root}/lake/../secret.csv')`, 'sql_not_read_only'],
      [`SELECT * FROM glob('/*')`, 'sql_not_read_only'],
      [`SELECT * FROM query('COPY (SELECT 1) TO ''${out}''')`, 'invalid_sql'],
      ['SELECT $1', 'invalid_sql'],
    ],
  },
  async () => {
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
    writeFileSync(secret, 'a\n1\n');
    return {
      run,
      open: (changes) => new DuckdbUserSql(lake, { ...withLimits(changes), temporaryDirectory: root }),
      dispose: () => Promise.resolve(),
    };
  },
);

test('columns have the types that DuckDB calls them by', async () => {
  const userSql = new DuckdbUserSql(lake, { ...withLimits(), temporaryDirectory: root });
  const { columns } = await userSql.query(run, 'FROM mrr_months');
  expect(columns.map(({ type }) => type)).toEqual([
    'DATE',
    'BIGINT',
    'DECIMAL(38,12)',
    'TIMESTAMP',
    'VARCHAR',
  ]);
});
