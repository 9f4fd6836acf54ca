import { asc } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasPostgres, startPostgres, type Postgres } from '../../test/support/postgres.js';
import { parseInstant } from '../../core/time.js';
import { AuditLog } from '../audit-log.js';
import { SecretText } from '../secrets.js';
import { openPgSql } from '../sql/pg-sql.js';
import { openPgliteSql } from '../sql/pglite-sql.js';
import { apiKeys, auditEntries, installation, quarantine, vaultPersons, vaultValues } from '../sql/schema.js';
import type { Sql } from '../sql/sql.js';
import { copyStore } from './copy-store.js';

const NOW = parseInstant('2026-10-01T00:00:00.000001Z');
/** More than two pages, so that going on by key is seen. */
const PERSONS = 1_203;

const rowCounts = (copied: Awaited<ReturnType<typeof copyStore>>) =>
  Object.fromEntries(copied.map(({ table, rows, copied: new_ }) => [table, [rows, new_]]));

/** The drivers give bytes as different classes. */
function withHexBytes(row: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]: [string, unknown]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    ]),
  );
}

describe.runIf(hasPostgres())('copying the embedded store into a server', () => {
  let postgres: Postgres;
  let source: Sql;
  let target: Sql;

  const openTarget = async (): Promise<Sql> => {
    const url = new SecretText(await postgres.createDatabase());
    const sql = await openPgSql({ url, poolSize: 4, timeoutMs: 30_000 });
    await sql.migrate();
    return sql;
  };
  const copy = () => copyStore(source, target, () => undefined);

  beforeAll(async () => {
    postgres = await startPostgres();
    source = await openPgliteSql('memory://');
    await source.migrate();
    target = await openTarget();
    const { database } = source;
    await database.insert(installation).values([
      { name: 'token_key', value: 'ours' },
      { name: 'warehouse', value: 'the embedded one' },
    ]);
    await database.insert(apiKeys).values({
      keyId: 'key_1',
      name: 'a "founder"',
      secretHash: 'a'.repeat(64),
      scopes: ['metrics:read', 'leads:read'],
      createdAt: NOW,
    });
    await database.insert(vaultValues).values({
      token: 'tok_1',
      field: 'email',
      ciphertext: Uint8Array.from([0, 255, 10, 92]),
      keyId: 'vk_1',
      createdAt: NOW,
    });
    // One key column alone repeats: pages must go on by both.
    const persons = Array.from({ length: PERSONS }, (_, index) => ({
      person: `lead:${index % 3}`,
      token: `tok_${index}`,
    }));
    await database.insert(vaultPersons).values(persons);
    for (const action of ['catalog.publish', 'key.create']) {
      await new AuditLog(source).append({ actor: 'cli:ana', action, target: 'x', details: { n: 1 } }, NOW);
    }
    await database.insert(quarantine).values({
      quarantineId: 'qrn_1',
      rawDigest: 'd',
      sourceName: 'http',
      raw: Buffer.from('not json \u0001'),
      reason: 'invalid_json',
      path: '',
      message: 'it is not JSON',
      problems: [{ path: '', code: 'invalid_json', message: 'it is not JSON' }],
      count: 3,
      status: 'open',
      firstSeenAt: NOW,
      lastSeenAt: NOW,
    });
  });
  afterAll(async () => {
    await source.close();
    await target.close();
    await postgres.stop();
  });

  test('every row arrives as it was, and the audit chain is whole on the other side', async () => {
    expect(rowCounts(await copy())).toMatchObject({
      api_keys: [1, 1],
      vault_values: [1, 1],
      vault_persons: [PERSONS, PERSONS],
      audit_entries: [2, 2],
      quarantine: [1, 1],
    });
    for (const table of [apiKeys, vaultValues, quarantine]) {
      const [theirs, ours] = [
        await target.database.select().from(table),
        await source.database.select().from(table),
      ];
      expect(theirs.map(withHexBytes)).toEqual(ours.map(withHexBytes));
    }
    const order = [asc(vaultPersons.person), asc(vaultPersons.token)];
    const persons = await target.database
      .select()
      .from(vaultPersons)
      .orderBy(...order);
    expect(new Set(persons.map(({ token }) => token)).size).toBe(PERSONS);
    expect(await new AuditLog(target).verify()).toEqual({ ok: true, entries: 2n });
  });

  test('the keys go over, and what the other side has for itself stays its own', async () => {
    const names = await target.database.select({ name: installation.name }).from(installation);
    expect(names).toEqual([{ name: 'token_key' }]);
  });

  test('a second copy copies nothing, and a later one only what is new', async () => {
    expect((await copy()).filter(({ copied }) => copied > 0)).toEqual([]);
    await new AuditLog(source).append(
      { actor: 'cli:ana', action: 'month.close', target: '2026-09', details: {} },
      NOW,
    );
    expect(rowCounts(await copy())).toMatchObject({ audit_entries: [3, 1], api_keys: [1, 0] });
  });

  test('another company’s history is refused, and nothing of ours is written beside it', async () => {
    const theirs = await openTarget();
    try {
      await new AuditLog(theirs).append(
        { actor: 'cli:bob', action: 'key.create', target: 'y', details: {} },
        NOW,
      );
      await expect(copyStore(source, theirs, () => undefined)).rejects.toMatchObject({
        code: 'copy_conflict',
        message: expect.stringContaining('audit entry 1 is not ours') as string,
      });
      expect(await theirs.database.select().from(apiKeys)).toEqual([]);
      expect(await theirs.database.select().from(auditEntries)).toHaveLength(1);
    } finally {
      await theirs.close();
    }
  });
});
