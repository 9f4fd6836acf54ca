import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { hasPostgres, startPostgres, type Postgres } from './postgres.js';

describe.skipIf(!hasPostgres())('Postgres for tests', () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  const query = async (url: string, statement: string): Promise<unknown[]> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(statement)).rows;
    } finally {
      await client.end();
    }
  };

  test('has what was committed after kill -9 and a new start', async () => {
    const url = await postgres.createDatabase();
    await query(url, 'create table kept as select 1 as one');
    await postgres.crash();
    await expect(query(url, 'select')).rejects.toThrow();
    await postgres.start();
    expect(await query(url, 'select one from kept')).toEqual([{ one: 1 }]);
  });

  test('is as old as the oldest server that Headgate supports', async () => {
    const url = await postgres.createDatabase();
    const [row] = z
      .array(z.object({ server_version_num: z.string() }))
      .parse(await query(url, 'show server_version_num'));
    expect(row?.server_version_num).toMatch(/^15/);
  });

  test('ends with the process that started it, also when that is killed', async () => {
    const starter = fork(new URL('./postgres.killed.ts', import.meta.url), {
      execArgv: ['--import', 'tsx'],
    });
    const [message] = z
      .tuple([z.object({ port: z.number(), directory: z.string() })])
      .rest(z.unknown())
      .parse(await once(starter, 'message'));
    expect(await accepts(message.port)).toBe(true);
    starter.kill('SIGKILL');
    await expect.poll(() => accepts(message.port), { timeout: 30_000 }).toBe(false);
    await expect.poll(() => existsSync(message.directory), { timeout: 30_000 }).toBe(false);
  });
});

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
