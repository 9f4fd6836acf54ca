import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasClickHouse, startClickHouse, type ClickHouse } from '../../../test/support/clickhouse.js';
import { packagePath } from '../../package-path.js';

const text = readFileSync(packagePath('platform', 'warehouse', 'cluster', 'raw-tables.sql'), 'utf8');
const foundation = readFileSync(
  packagePath('platform', 'warehouse', 'migrations', '0001_foundation.sql'),
  'utf8',
);
const statementsOf = (sql: string): string[] =>
  sql
    .replace(/^--.*$/gm, '')
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
const tablesOf = (sql: string): string[] =>
  [...sql.matchAll(/CREATE TABLE IF NOT EXISTS (?:headgate\.)?(\w+)/g)].map(([, name = '']) => name);

test('a cluster has every table that a single server has, under the same name', () => {
  const onCluster = tablesOf(text);
  expect(tablesOf(foundation).filter((name) => !onCluster.includes(name))).toEqual([]);
});

describe.runIf(hasClickHouse())('the schema of a cluster', () => {
  let clickHouse: ClickHouse;
  beforeAll(async () => {
    clickHouse = await startClickHouse();
  });
  afterAll(() => clickHouse.stop());

  test.each(statementsOf(text).map((statement) => [statement.split('\n', 1)[0], statement] as const))(
    'is what the engine parses: %s',
    async (_, statement) => {
      const answer = await clickHouse.client.query({
        query: `EXPLAIN AST ${statement}`,
        format: 'TabSeparated',
      });
      expect(await answer.text()).toMatch(/^Create/);
    },
  );
});
