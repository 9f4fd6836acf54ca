import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApiKeys } from './api-keys.js';
import { AuditLog } from './audit-log.js';
import { allows, ROLE_SCOPES, ScopeSchema } from './key-scopes.js';
import { openPgliteSql } from './sql/pglite-sql.js';
import { apiKeys } from './sql/schema.js';
import type { Sql } from './sql/sql.js';

const NOW = 1_767_225_600_000_000n;
const SECOND = 1_000_000n;

describe('api keys', () => {
  let sql: Sql;
  beforeAll(async () => {
    sql = await openPgliteSql('memory://');
    await sql.migrate();
  });
  afterAll(() => sql.close());

  test('the secret is shown once and stored nowhere', async () => {
    const { key, secret } = await new ApiKeys(sql, new AuditLog(sql)).create(
      { name: 'ci', role: 'operator' },
      'test',
      NOW,
    );
    expect(secret).toMatch(/^hg_[A-Za-z0-9_-]{32}$/);
    const stored = JSON.stringify(await sql.database.select().from(apiKeys), (_, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    );
    expect(stored).not.toContain(secret.slice(3));
    expect(key).toMatchObject({
      name: 'ci',
      role: 'operator',
      scopes: ROLE_SCOPES.operator,
      revokedAt: null,
    });
  });

  test('whoever makes or revokes a key, it is on the record', async () => {
    const audit = new AuditLog(sql);
    const keys = new ApiKeys(sql, audit);
    const { key } = await keys.create({ name: 'a', scopes: ['ingest'] }, 'demo', NOW);
    await keys.revoke(key.keyId, 'demo', NOW + SECOND);
    const entries = (await audit.list({ limit: 1000 })).filter(({ target }) => target === key.keyId);
    expect(entries.map(({ action, actor, details }) => [action, actor, details])).toEqual([
      ['key.create', 'demo', '{"scopes":["ingest"]}'],
      ['key.revoke', 'demo', '{}'],
    ]);
  });

  test('a key is known by its secret, and no other secret is', async () => {
    const keys = new ApiKeys(sql, new AuditLog(sql));
    const { key, secret } = await keys.create({ name: 'a', scopes: ['ingest', 'partner:p_1'] }, 'test', NOW);
    expect(await keys.authenticate(secret, NOW)).toMatchObject({ ok: true, key: { keyId: key.keyId } });
    for (const wrong of ['', 'hg_', `${secret}x`, secret.slice(0, -1), secret.toUpperCase()]) {
      expect(await keys.authenticate(wrong, NOW)).toEqual({ ok: false, reason: 'key_invalid' });
    }
  });

  test('a revoked key stops with the next request, stays listed, and keeps its first revocation', async () => {
    const keys = new ApiKeys(sql, new AuditLog(sql));
    const { key, secret } = await keys.create({ name: 'a', role: 'sales' }, 'test', NOW);
    expect(await keys.authenticate(secret, NOW)).toMatchObject({ ok: true });
    await keys.revoke(key.keyId, 'test', NOW + SECOND);
    expect(await keys.authenticate(secret, NOW + SECOND)).toEqual({ ok: false, reason: 'key_revoked' });
    await keys.revoke(key.keyId, 'test', NOW + 5n * SECOND);
    expect((await keys.list()).find(({ keyId }) => keyId === key.keyId)?.revokedAt).toBe(NOW + SECOND);
  });

  test('a revocation by another process is seen within two seconds', async () => {
    const here = new ApiKeys(sql, new AuditLog(sql));
    const { key, secret } = await here.create({ name: 'a', role: 'sales' }, 'test', NOW);
    await here.authenticate(secret, NOW);
    await new ApiKeys(sql, new AuditLog(sql)).revoke(key.keyId, 'test', NOW);
    expect(await here.authenticate(secret, NOW + 2n * SECOND)).toEqual({ ok: false, reason: 'key_revoked' });
  });

  test('last use is written at most once a minute', async () => {
    const keys = new ApiKeys(sql, new AuditLog(sql));
    const { key, secret } = await keys.create({ name: 'a', role: 'sales' }, 'test', NOW);
    const lastUsedAt = async () => (await keys.list()).find(({ keyId }) => keyId === key.keyId)?.lastUsedAt;
    await keys.authenticate(secret, NOW);
    await keys.authenticate(secret, NOW + 59n * SECOND);
    expect(await lastUsedAt()).toBe(NOW);
    await keys.authenticate(secret, NOW + 60n * SECOND);
    expect(await lastUsedAt()).toBe(NOW + 60n * SECOND);
  });

  test('a revocation wins over lookups that began before it', async () => {
    const keys = new ApiKeys(sql, new AuditLog(sql));
    const { key, secret } = await keys.create({ name: 'a', role: 'sales' }, 'test', NOW);
    const before = Array.from({ length: 8 }, () => keys.authenticate(secret, NOW));
    await keys.revoke(key.keyId, 'test', NOW);
    await Promise.all(before);
    expect(await keys.authenticate(secret, NOW)).toEqual({ ok: false, reason: 'key_revoked' });
  });

  test('a key that could do nothing is not made, and an unknown one is not revoked', async () => {
    const keys = new ApiKeys(sql, new AuditLog(sql));
    await expect(keys.create({ name: 'a' }, 'test', NOW)).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(keys.revoke('key_none', 'test', NOW)).rejects.toMatchObject({
      code: 'not_found',
      status: 404,
    });
  });
});

describe('scopes', () => {
  test('admin includes every scope; no other includes another', () => {
    expect(allows(['admin'], 'payouts:approve')).toBe(true);
    expect(allows(['payouts:create'], 'payouts:approve')).toBe(false);
    expect(allows(['partner:p_1'], 'partner:p_2')).toBe(false);
  });

  test('only known scopes and well-formed partner scopes parse', () => {
    expect(ScopeSchema.safeParse('partner:p_1').success).toBe(true);
    for (const wrong of ['root', 'partner:', 'partner:a b', 'ingest ']) {
      expect(ScopeSchema.safeParse(wrong).success).toBe(false);
    }
  });

  test('no role but admin both makes and approves payouts', () => {
    for (const [role, scopes] of Object.entries(ROLE_SCOPES)) {
      const both = allows(scopes, 'payouts:create') && allows(scopes, 'payouts:approve');
      expect(both).toBe(role === 'admin');
    }
  });
});
