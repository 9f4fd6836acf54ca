import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { copyEmptyCluster } from './empty-cluster.js';
import { openPgliteSql } from './pglite-sql.js';
import { apiKeys, pointers } from './schema.js';
import { sqlContract } from './sql.contract.js';

const root = mkdtempSync(join(tmpdir(), 'headgate-sql-'));
const kept = { cacheDirectory: join(root, 'cache'), temporaryDirectory: join(root, 'tmp') };

beforeAll(() => {
  mkdirSync(kept.temporaryDirectory);
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

let copies = 0;
/** The first start of an empty store takes seconds; every test gets a copy of one instead. */
async function copyOfEmptyStore(): Promise<string> {
  copies += 1;
  const directory = join(root, `store-${copies}`);
  await copyEmptyCluster(kept, directory);
  return directory;
}

sqlContract('PGlite', async () => {
  const directory = await copyOfEmptyStore();
  return {
    open: () => openPgliteSql(directory),
    dispose: () => {
      rmSync(directory, { recursive: true });
      return Promise.resolve();
    },
  };
});

test('a row that was answered survives kill -9', async () => {
  const directory = await copyOfEmptyStore();
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

describe('a store that begins as a copy', () => {
  const beginnings = (name: string) => {
    const temporaryDirectory = join(root, `${name}-tmp`);
    mkdirSync(temporaryDirectory);
    return { cacheDirectory: join(root, `${name}-cache`), temporaryDirectory };
  };

  test('of several that begin at once each is whole and its own, and the empty one is made once', async () => {
    const kept = beginnings('several');
    const other = { ...kept, temporaryDirectory: beginnings('other').temporaryDirectory };
    const [one, two] = await Promise.all([
      openPgliteSql(join(root, 'one'), kept),
      openPgliteSql(join(root, 'two'), other),
    ]);
    await one.migrate();
    await two.migrate();
    await one.database.insert(pointers).values({ name: 'current', runId: 'run_1', movedAt: 0n });
    expect(await two.database.select().from(pointers)).toEqual([]);
    await Promise.all([one.close(), two.close()]);
    expect(readdirSync(kept.cacheDirectory)).toEqual([expect.stringMatching(/^pglite-\d+\.\d+\.\d+$/)]);
  });

  test('where none can be kept it is made in place', async () => {
    const { temporaryDirectory } = beginnings('refused');
    const file = join(root, 'a-file');
    writeFileSync(file, '');
    const sql = await openPgliteSql(join(root, 'in-place'), { cacheDirectory: file, temporaryDirectory });
    await sql.migrate();
    expect(await sql.database.select().from(pointers)).toEqual([]);
    await sql.close();
  });
});
