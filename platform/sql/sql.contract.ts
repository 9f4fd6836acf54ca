import { getTableName, is, sql as sqlText } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import * as billing from './billing-schema.js';
import * as stripe from './stripe-schema.js';
import { rows, shippedMigrations } from './migrations.js';
import * as schema from './schema.js';
import { transaction, type Sql } from './sql.js';

/** A store that outlives the connection to it. */
export interface SqlUnderTest {
  open(): Promise<Sql>;
  dispose(): Promise<void>;
}

const { apiKeys, auditEntries, conflicts, quarantine } = schema;
const KEY = { keyId: 'key_1', name: 'Ana', secretHash: 'h1', scopes: ['ingest'], createdAt: 1n };

/** What holds for every transactional store. */
export function sqlContract(name: string, make: () => Promise<SqlUnderTest>): void {
  describe(`${name} as the transactional store`, () => {
    let subject: SqlUnderTest;
    let sql: Sql;
    beforeEach(async () => {
      subject = await make();
      sql = await subject.open();
      await sql.migrate();
    });
    afterEach(async () => {
      await sql.close();
      await subject.dispose();
    });

    test('migrating again changes nothing, and rows are there after opening again', async () => {
      await sql.database.insert(apiKeys).values(KEY);
      await sql.migrate();
      await sql.close();
      sql = await subject.open();
      await sql.migrate();
      expect(await sql.database.select().from(apiKeys)).toEqual([
        { ...KEY, role: null, lastUsedAt: null, revokedAt: null },
      ]);
    });

    test('a store that a newer version migrated is refused', async () => {
      const newest = shippedMigrations().at(-1)?.when ?? 0;
      await sql.database.execute(
        sqlText`insert into drizzle.__drizzle_migrations (hash, created_at) values ('newer', ${newest + 1})`,
      );
      await expect(sql.migrate()).rejects.toMatchObject({ code: 'data_directory_newer' });
    });

    test.each([
      ['1969-12-31T23:59:59.999999Z', -1n],
      ['the first microsecond of 2026', 1_767_225_600_000_001n],
      ['a whole second', 1_767_225_600_000_000n],
      ['half a second', 1_767_225_600_500_000n],
    ])('instants keep their microseconds: %s', async (_, createdAt) => {
      await sql.database.insert(apiKeys).values({ ...KEY, createdAt });
      expect((await sql.database.select().from(apiKeys))[0]?.createdAt).toBe(createdAt);
    });

    test('bytes, big integers, arrays and JSON come back as they went in', async () => {
      const raw = Uint8Array.from([0, 255, 10, 39, 92]);
      await sql.database.insert(quarantine).values({
        quarantineId: 'qua_1',
        rawDigest: 'd',
        sourceName: 'http',
        raw,
        reason: 'invalid_json',
        path: '',
        message: `it's "bad"`,
        problems: [{ path: 'data.amountMinor', code: 'float' }],
        count: 1,
        status: 'open',
        firstSeenAt: 0n,
        lastSeenAt: 0n,
      });
      const [row] = await sql.database.select().from(quarantine);
      expect(Uint8Array.from(row?.raw ?? [])).toEqual(raw);
      expect(row).toMatchObject({
        message: `it's "bad"`,
        problems: [{ path: 'data.amountMinor', code: 'float' }],
      });
      await sql.database.insert(conflicts).values({
        conflictId: 'con_1',
        stream: 'crm',
        identity: 'i',
        source: 's',
        eventId: 'e',
        firstPartition: 0,
        firstOffset: 9_007_199_254_740_993n,
        otherPartition: 0,
        otherOffset: 9_007_199_254_740_994n,
        status: 'open',
        foundAt: 0n,
      });
      expect((await sql.database.select().from(conflicts))[0]?.firstOffset).toBe(9_007_199_254_740_993n);
    });

    test('a transaction that throws leaves nothing, and the store goes on', async () => {
      await expect(
        transaction(sql, async (database) => {
          await database.insert(apiKeys).values(KEY);
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
      expect(await sql.database.select().from(apiKeys)).toEqual([]);
    });

    test('a second row with the same unique key is refused', async () => {
      await sql.database.insert(apiKeys).values(KEY);
      await expect(sql.database.insert(apiKeys).values({ ...KEY, keyId: 'key_2' })).rejects.toThrow();
    });

    test('the audit log refuses change, deletion and truncation', async () => {
      const entry = {
        sequence: 1n,
        at: 0n,
        actor: 'a',
        action: 'b',
        target: 'c',
        details: '{}',
        previousHash: '0',
        hash: '1',
      };
      await sql.database.insert(auditEntries).values(entry);
      await expect(sql.database.update(auditEntries).set({ actor: 'x' })).rejects.toThrow();
      await expect(sql.database.delete(auditEntries)).rejects.toThrow();
      await expect(sql.database.execute(sqlText`truncate audit_entries`)).rejects.toThrow();
      expect(await sql.database.select().from(auditEntries)).toEqual([entry]);
    });

    test('the first migration makes every table of the schema, and no other, empty', async () => {
      const tables = Object.values({ ...schema, ...billing, ...stripe }).filter((value) =>
        is(value, PgTable),
      );
      const made = await rows(
        sql.database,
        sqlText`select table_name from information_schema.tables where table_schema = current_schema()`,
      );
      const names = z.array(z.object({ table_name: z.string() })).parse(made);
      expect(names.map(({ table_name: name }) => name).sort()).toEqual(tables.map(getTableName).sort());
      for (const table of tables) expect(await sql.database.select().from(table)).toEqual([]);
    });
  });
}
