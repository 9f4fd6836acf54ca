import { eq, sql as sqlText } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { AuditLog } from './audit-log.js';
import { openPgliteSql } from './sql/pglite-sql.js';
import { auditEntries } from './sql/schema.js';
import type { Sql } from './sql/sql.js';

let sql: Sql;
let log: AuditLog;
beforeAll(async () => {
  sql = await openPgliteSql('memory://');
  await sql.migrate();
  log = new AuditLog(sql);
});
afterAll(() => sql.close());
afterEach(async () => {
  await tamper(() => sql.database.delete(auditEntries));
});

const record = (target: string) => ({
  actor: 'key_1',
  action: 'key.revoke',
  target,
  details: { b: 1, a: 'x' },
});
/** What someone with the database's own rights could do. */
const tamper = async (change: () => Promise<unknown>) => {
  await sql.database.execute(sqlText`alter table audit_entries disable trigger all`);
  await change();
  await sql.database.execute(sqlText`alter table audit_entries enable trigger all`);
};

test('entries are numbered without gaps, also when many are written at once, and the chain holds', async () => {
  await Promise.all(Array.from({ length: 20 }, (_, index) => log.append(record(`key_${index}`), 5n)));
  expect((await log.list()).map(({ sequence }) => sequence)).toEqual(
    Array.from({ length: 20 }, (_, index) => BigInt(index + 1)),
  );
  expect(await log.verify()).toEqual({ ok: true, entries: 20n });
});

test('an empty log verifies', async () => {
  expect(await log.verify()).toEqual({ ok: true, entries: 0n });
});

test('details are stored as the canonical JSON that was hashed', async () => {
  expect((await log.append(record('key_9'), 5n)).details).toBe('{"a":"x","b":1}');
});

test('a changed entry is found', async () => {
  for (const target of ['a', 'b', 'c']) await log.append(record(target), 5n);
  await tamper(() =>
    sql.database.update(auditEntries).set({ target: 'z' }).where(eq(auditEntries.sequence, 2n)),
  );
  expect(await log.verify()).toMatchObject({ ok: false, sequence: 2n });
});

test('a removed entry is found', async () => {
  for (const target of ['a', 'b', 'c']) await log.append(record(target), 5n);
  await tamper(() => sql.database.delete(auditEntries).where(eq(auditEntries.sequence, 2n)));
  expect(await log.verify()).toMatchObject({ ok: false, sequence: 3n });
});

test('lists go on after a given entry', async () => {
  for (const target of ['a', 'b', 'c']) await log.append(record(target), 5n);
  expect((await log.list({ after: 1n, limit: 1 })).map(({ target }) => target)).toEqual(['b']);
});
