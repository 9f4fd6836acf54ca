import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPgliteSql } from './pglite-sql.js';
import { apiKeys } from './schema.js';
import { sqlContract } from './sql.contract.js';

const root = mkdtempSync(join(tmpdir(), 'headgate-sql-'));
const template = join(root, 'template');

beforeAll(async () => {
  // The first start takes seconds; every test gets a copy of an empty store instead.
  await (await openPgliteSql(template)).close();
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

let copies = 0;
function copyOfEmptyStore(): string {
  copies += 1;
  const directory = join(root, `store-${copies}`);
  cpSync(template, directory, { recursive: true });
  return directory;
}

sqlContract('PGlite', () => {
  const directory = copyOfEmptyStore();
  return Promise.resolve({
    open: () => openPgliteSql(directory),
    dispose: () => {
      rmSync(directory, { recursive: true });
      return Promise.resolve();
    },
  });
});

test('a row that was answered survives kill -9', async () => {
  const directory = copyOfEmptyStore();
  const child = fork(new URL('./pglite-sql.killed.ts', import.meta.url), [directory], {
    execArgv: ['--import', 'tsx'],
  });
  await once(child, 'message');
  child.kill('SIGKILL');
  await once(child, 'exit');

  const sql = await openPgliteSql(directory);
  expect((await sql.database.select().from(apiKeys)).map(({ keyId }) => keyId)).toEqual(['key_1']);
  await sql.close();
});
