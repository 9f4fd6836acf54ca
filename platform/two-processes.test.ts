import { randomBytes } from 'node:crypto';
import { eq, sql as sqlText } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { onEveryStore } from '../test/support/two-processes.js';
import { InputError } from '../core/errors.js';
import { ApiKeys } from './api-keys.js';
import { AuditLog } from './audit-log.js';
import { readCatalogText, type CatalogFile } from './catalog-file.js';
import { CatalogStore } from './catalog-store.js';
import { PublishedPersonalKeys } from './published-personal-keys.js';
import { vaultPersons, vaultValues } from './sql/schema.js';
import { checkFingerprint, keepFirst } from './sql/installation.js';
import { rows } from './sql/migrations.js';
import { transaction, type Sql } from './sql/sql.js';
import type { VaultKeys } from './vault-keys.js';
import { Vault } from './vault.js';

const SECOND = 1_000_000n;
const tokenKey = new Uint8Array(randomBytes(32));
const [KEY, NEWER_KEY] = ['vk_a', 'vk_b'].map((keyId) => ({ keyId, key: new Uint8Array(randomBytes(32)) }));
if (KEY === undefined || NEWER_KEY === undefined) throw new Error('two keys were made');
const KEYS: VaultKeys = { tokenKey, encryptionKeys: [KEY] };
const BOTH_KEYS: VaultKeys = { tokenKey, encryptionKeys: [NEWER_KEY, KEY] };

/** Does something many times at once, by turns in each process. */
function byTurns<Result>(
  processes: { one: Sql; other: Sql },
  times: number,
  work: (sql: Sql, index: number) => Promise<Result>,
): Promise<Result[]> {
  const { one, other } = processes;
  return Promise.all(Array.from({ length: times }, (_, index) => work(index % 2 === 0 ? one : other, index)));
}

onEveryStore((processes) => {
  test('the audit log stays one chain, whoever writes to it at once', async () => {
    await byTurns(processes(), 40, (sql, index) =>
      new AuditLog(sql).append(
        { actor: 'a', action: 'b', target: String(index), details: {} },
        BigInt(index),
      ),
    );
    expect(await new AuditLog(processes().other).verify()).toEqual({ ok: true, entries: 40n });
  });

  test('values that two processes put at once are there once, for both persons', async () => {
    const { one, other } = processes();
    const vaults = [await Vault.open(one, KEYS), await Vault.open(other, KEYS)];
    const values = ['a', 'b', 'c', 'd', 'e'].map((letter) => `value ${letter}`);
    const puts: Promise<void>[] = [];
    const putBoth = (): void => {
      for (const [index, vault] of vaults.entries()) {
        const entry = (value: string) => ({
          token: vault.token(value),
          field: 'f',
          value,
          person: `lead:${index}`,
        });
        // In opposite orders: whoever inserted in the order of its batch would wait for the other for ever.
        puts.push(vault.put((index === 0 ? values : values.toReversed()).map(entry), 0n));
      }
    };
    // A third one is at the value in the middle until both have come to it from their ends.
    if (one.isShared) await whileHeld(one, vaults[0]?.token('value c') ?? '', putBoth);
    else putBoth();
    await Promise.all(puts);
    expect(await one.database.$count(vaultValues)).toBe(5);
    expect(await one.database.$count(vaultPersons)).toBe(10);
  });

  test('a value that one process erases for a person while another is told of a second person stays readable', async () => {
    const { one, other } = processes();
    const [eraser, teller] = [await Vault.open(one, KEYS), await Vault.open(other, KEYS)];
    for (let round = 0; round < 30; round += 1) {
      const value = `shared ${round}`;
      const entry = { token: eraser.token(value), field: 'f', value };
      await eraser.put([{ ...entry, person: `lead:first ${round}` }], 0n);
      await Promise.all([
        eraser.erase({ person: `lead:first ${round}` }),
        teller.put([{ ...entry, person: `lead:second ${round}` }], 0n),
      ]);
      expect((await teller.read([entry.token])).get(entry.token)).toBe(value);
    }
  });

  test('values are moved to a new key once, whoever moves them', async () => {
    const { one, other } = processes();
    const vault = await Vault.open(one, KEYS);
    const values = Array.from({ length: 50 }, (_, index) => `moved ${index}`);
    await vault.put(
      values.map((value) => ({ token: vault.token(value), field: 'f', value })),
      0n,
    );
    const movers = [await Vault.open(one, BOTH_KEYS), await Vault.open(other, BOTH_KEYS)];
    await Promise.all(
      movers.map(async (mover) => {
        while ((await mover.reencrypt(7)) > 0);
      }),
    );
    const stored = await one.database.select().from(vaultValues);
    expect(new Set(stored.map(({ keyId }) => keyId))).toEqual(new Set([NEWER_KEY.keyId]));
    for (const value of values)
      expect((await movers[0]?.read([vault.token(value)]))?.get(vault.token(value))).toBe(value);
  });

  test('a process with other keys is refused, and told how to get the right ones', async () => {
    const { one, other } = processes();
    // Whoever has the key in use and a newer one puts the newer in its place.
    await Vault.open(one, BOTH_KEYS);
    const foreign = Vault.open(other, { ...BOTH_KEYS, tokenKey: new Uint8Array(32) });
    await expect(foreign).rejects.toMatchObject({ code: 'invalid_config' });
    await expect(foreign).rejects.toThrow(one.isShared ? /"tokenKey".*keys\.json/ : /put the first one back/);
    if (!one.isShared) return;
    const old = Vault.open(other, KEYS);
    await expect(old).rejects.toMatchObject({ code: 'invalid_config' });
    await expect(old).rejects.toThrow(/HEADGATE_VAULT_KEY.*"encryptionKeys"/);
  });

  test('what the store belongs with is kept once; who comes with another is refused with the setting to change', async () => {
    const values = await byTurns(processes(), 10, (sql, index) => keepFirst(sql, 'warehouse', `w${index}`));
    const [kept = ''] = values;
    expect(new Set(values)).toEqual(new Set([kept]));
    await checkFingerprint(processes().other, 'warehouse', kept, 'not shown');
    await expect(
      checkFingerprint(processes().other, 'warehouse', 'w99', 'CLICKHOUSE_URL names another one'),
    ).rejects.toMatchObject({ code: 'invalid_config', message: 'CLICKHOUSE_URL names another one' });
  });

  test('catalogs that are published at once get versions in a row', async () => {
    const outcomes = await byTurns(processes(), 10, (sql, index) =>
      new CatalogStore(sql).publish(catalogNo(index), { by: 'cli:test' }, BigInt(index) * SECOND).then(
        () => 'published',
        // A version rules after the ones before it: who comes late with an earlier instant is refused.
        (error: unknown) => (error instanceof InputError ? error.code : error),
      ),
    );
    for (const outcome of outcomes) expect(['published', 'catalog_invalid']).toContain(outcome);
    const versions = await new CatalogStore(processes().one).list();
    expect(versions).toHaveLength(outcomes.filter((outcome) => outcome === 'published').length);
    expect(versions.map(({ version }) => version)).toEqual(versions.map((_, index) => BigInt(index + 1)));
  });

  test('a key that one process revokes is refused by the other within two seconds', async () => {
    const { one, other } = processes();
    const [here, there] = [new ApiKeys(one, new AuditLog(one)), new ApiKeys(other, new AuditLog(other))];
    const { key, secret } = await here.create({ name: 'n', role: 'admin' }, 'test', 0n);
    expect(await there.authenticate(secret, 10n * SECOND)).toMatchObject({ ok: true });
    await here.revoke(key.keyId, 'test', 11n * SECOND);
    expect(await there.authenticate(secret, 12n * SECOND)).toMatchObject({
      ok: false,
      reason: 'key_revoked',
    });
  });

  test('what one process publishes as personal is personal in the other within seconds', async () => {
    const { one, other } = processes();
    const [catalogs, seen] = [new CatalogStore(one), new CatalogStore(other)];
    const keys = new PublishedPersonalKeys(seen, other.isShared);
    const mine = new PublishedPersonalKeys(catalogs, one.isShared);
    expect((await keys.current()).attributes).not.toContain('nickname');
    const file = catalogNo(99, 'personal: { attributes: [nickname] }');
    await catalogs.publish(file, { by: 'cli:test' }, 1_000n * SECOND);
    await mine.changed();
    expect((await mine.current()).attributes).toContain('nickname');
    if (!other.isShared) return;
    await expect
      .poll(async () => (await keys.current()).attributes, { timeout: 10_000 })
      .toContain('nickname');
  });
});

/** Begins something while another transaction is at a token, which lets go once two wait for something. */
async function whileHeld(sql: Sql, token: string, begin: () => void): Promise<void> {
  await transaction(sql, async (database) => {
    const row = { token, field: 'f', ciphertext: new Uint8Array(), keyId: '', createdAt: 0n };
    await database.insert(vaultValues).values(row);
    begin();
    await expect
      .poll(() => rows(sql.database, sqlText`select 1 from pg_locks where not granted`))
      .toHaveLength(2);
    await database.delete(vaultValues).where(eq(vaultValues.token, token));
  });
}

function catalogNo(number: number, more = ''): CatalogFile {
  const reading = readCatalogText(
    `catalog: acme
name: Acme ${number}
zone: UTC
currencies: [USD]
reportingCurrency: USD
segments:
  teams: { name: Teams, profile: Small teams, role: primary, motion: self_serve, priority: 1 }
plans:
  alpha: { name: Alpha, tier: 1, price: { amount: '9.00', currency: USD, interval: month } }
${more}
`,
    'acme.yaml',
  );
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  return reading.file;
}
