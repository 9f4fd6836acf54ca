import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { cacheDirectory } from '../../cli/cache-directory.js';
import { packagePath } from '../../platform/package-path.js';
import { ensurePythonEnvironment } from '../../transforms/runner/python-environment.js';

const STATEMENTS = [
  'select 1',
  'with x as (select 1) select * from x',
  '\n-- with a comment\nwith x as (select 1)\nselect 1',
  '/* with */ select (with q as (select 1) select * from q)',
  'WITH RECURSIVE t as (select 1) select * from t',
  'select 1 as with_totals',
  "-- only\nselect 'with'",
  '\n\n\nwith\n\nx as (select 1) select 1',
];

/** Both functions over the statements, with two CTEs and with none. */
const COMPARE = `
import json, sys, types
sys.path.insert(0, sys.argv[1])
from dbt.compilation import inject_ctes_into_sql
from prepend_ctes import prepend_ctes
ctes = [types.SimpleNamespace(id="a", sql="a as (select 1)"), types.SimpleNamespace(id="b", sql="b as (\\n select 2)")]
print(json.dumps([
    [function(statement, some) for function in (prepend_ctes, inject_ctes_into_sql)]
    for statement in json.loads(sys.argv[2]) for some in (ctes, [])
]))
`;

test('ephemeral models come where dbt itself would put them', async () => {
  const { dbt } = await ensurePythonEnvironment({ cacheDirectory: cacheDirectory(process.env) });
  const answer = execFileSync(
    join(dirname(dbt), 'python'),
    ['-c', COMPARE, packagePath('transforms', 'runner'), JSON.stringify(STATEMENTS)],
    { encoding: 'utf8' },
  );
  const compared = z.array(z.tuple([z.string(), z.string()])).parse(JSON.parse(answer));
  expect(compared).toHaveLength(2 * STATEMENTS.length);
  const withoutBlanks = (sql: string): string => sql.replace(/\s+/g, '');
  for (const [ours, theirs] of compared) expect(withoutBlanks(ours)).toBe(withoutBlanks(theirs));
});
