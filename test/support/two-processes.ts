import { afterAll, beforeAll, describe } from 'vitest';
import { SecretText } from '../../platform/secrets.js';
import { openPgSql } from '../../platform/sql/pg-sql.js';
import { openPgliteSql } from '../../platform/sql/pglite-sql.js';
import type { Sql } from '../../platform/sql/sql.js';
import { hasPostgres, startPostgres, type Postgres } from './postgres.js';

/** One store as two of its users have it open: two processes, where the store can be shared. */
export interface TwoProcesses {
  readonly one: Sql;
  readonly other: Sql;
}

/** Runs the tests on every store there is. All tests of a suite share the store. */
export function onEveryStore(suite: (processes: () => TwoProcesses) => void): void {
  describe('in PGlite, by one process', () => {
    let sql: Sql;
    beforeAll(async () => {
      sql = await openPgliteSql('memory://');
      await sql.migrate();
    });
    afterAll(() => sql.close());
    suite(() => ({ one: sql, other: sql }));
  });
  describe.skipIf(!hasPostgres())('in Postgres, by two processes', () => {
    let postgres: Postgres;
    let processes: TwoProcesses;
    beforeAll(async () => {
      postgres = await startPostgres();
      const url = await postgres.createDatabase();
      processes = { one: await openTestSql(url), other: await openTestSql(url) };
    });
    afterAll(async () => {
      await processes.one.close();
      await processes.other.close();
      await postgres.stop();
    });
    suite(() => processes);
  });
}

/** A server's database as a process of Headgate opens it, migrated. */
export async function openTestSql(url: string): Promise<Sql> {
  const sql = await openPgSql({ url: new SecretText(url), poolSize: 5, timeoutMs: 30_000 });
  await sql.migrate();
  return sql;
}
