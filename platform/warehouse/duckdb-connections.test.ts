import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { queryOn, streamOn } from './duckdb-connections.js';

const Row = z.object({ stream: z.string(), part: z.bigint(), last: z.bigint() });
const FIRST = { stream: 'crm', part: 1n, last: 2n };
/** Longer and larger than anything that the engine knew of the table when it planned. */
const LATER = { stream: 'executions and installs', part: -70_000n, last: 9_223_372_036_854_775n };

/* By chance this happens once in ten thousand reads; here, each time. */
describe('a row that another connection commits between planning and reading', () => {
  let instance: DuckDBInstance;
  let reader: DuckDBConnection;
  beforeEach(async () => {
    instance = await DuckDBInstance.create(':memory:');
    const writer = await instance.connect();
    reader = await instance.connect();
    await writer.run('CREATE TABLE progress (stream VARCHAR, part BIGINT, last BIGINT)');
    await writer.run("INSERT INTO progress VALUES ('crm', 1, 2)");
    commitAfterPlanning(reader, async () => {
      await writer.run(`INSERT INTO progress VALUES ('${LATER.stream}', ${LATER.part}, ${LATER.last})`);
    });
  });
  afterEach(() => {
    instance.closeSync();
  });

  const SORTED = 'SELECT * FROM progress ORDER BY ALL';
  const GROUPED = 'SELECT stream, part, max(last) AS last FROM progress GROUP BY ALL ORDER BY ALL';

  test.each([
    ['sorted', SORTED],
    ['grouped', GROUPED],
  ])('%s: each row is one that was written', async (_name, sql) => {
    for (const row of await queryOn(reader, sql, {}, Row)) expect([FIRST, LATER]).toContainEqual(row);
  });

  test.each([
    ['sorted', SORTED],
    ['grouped', GROUPED],
  ])('%s, as a stream: what was there at the beginning', async (_name, sql) => {
    const rows: z.infer<typeof Row>[] = [];
    for await (const batch of streamOn(reader, sql, {}, Row)) rows.push(...batch);
    expect(rows).toEqual([FIRST]);
  });

  test('with parameters: planned again when it is run', async () => {
    const sql = 'SELECT * FROM progress WHERE last >= $least ORDER BY ALL';
    expect(await queryOn(reader, sql, { least: 0 }, Row)).toEqual([FIRST, LATER]);
  });
});

/** The client's own step from a text to a plan, with a commit right behind it. */
function commitAfterPlanning(connection: DuckDBConnection, commit: () => Promise<void>): void {
  const internals = connection as unknown as { runUntilLast: (sql: string) => Promise<unknown> };
  const plan = internals.runUntilLast.bind(connection);
  internals.runUntilLast = async (sql) => {
    const planned = await plan(sql);
    await commit();
    return planned;
  };
}
