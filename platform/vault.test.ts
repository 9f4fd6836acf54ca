import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Secrets } from './secrets.js';
import { openPgliteSql } from './sql/pglite-sql.js';
import { installation, vaultPersons, vaultValues } from './sql/schema.js';
import type { Sql } from './sql/sql.js';
import { loadVaultKeys, rotateVaultKey, type VaultKeys } from './vault-keys.js';
import { Vault } from './vault.js';

const root = mkdtempSync(join(tmpdir(), 'headgate-vault-'));
const NO_SECRETS = new Secrets({ vaultKey: null, tokenKey: null });
afterAll(() => {
  rmSync(root, { recursive: true });
});

let files = 0;
const newKeysFile = () => join(root, `keys-${(files += 1)}.json`);

describe('the vault', () => {
  let sql: Sql;
  let keys: VaultKeys;
  let keysFile: string;
  let vault: Vault;
  beforeAll(async () => {
    sql = await openPgliteSql('memory://');
    await sql.migrate();
  });
  afterAll(() => sql.close());
  beforeEach(async () => {
    for (const table of [vaultValues, vaultPersons, installation]) await sql.database.delete(table);
    keysFile = newKeysFile();
    keys = await loadVaultKeys(keysFile, NO_SECRETS);
    vault = await Vault.open(sql, keys);
  });
  const put = (value: string, person?: string) => {
    const entry = { token: vault.token(value), field: 'lead.upserted.email', value };
    return vault.put([person === undefined ? entry : { ...entry, person }], 0n);
  };
  const has = async (value: string) =>
    (await vault.read([vault.token(value)])).get(vault.token(value)) === value;

  test('a token is the start of the HMAC-SHA256 of RFC 4231, test case 1', async () => {
    // Key: 20 bytes 0x0b, data "Hi There"; HMAC keys shorter than a block are padded with zeros, so 32 work too.
    const tokenKey = new Uint8Array(32);
    tokenKey.fill(0x0b, 0, 20);
    await sql.database.delete(installation);
    const known = await Vault.open(sql, { ...keys, tokenKey });
    expect(known.token('Hi There')).toBe('tok_b0344c61d8db38535ca8afceaf0bf12b');
  });

  test('the engine makes the same token as JavaScript, for any text', async () => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const { sql: expression, parameters } = vault.tokenSql('value');
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (value) => {
        const result = await connection.run(`SELECT ${expression} FROM (SELECT $value::VARCHAR AS value)`, {
          ...parameters,
          value,
        });
        expect((await result.getRows())[0]?.[0]).toBe(vault.token(value));
      }),
      { numRuns: 50 },
    );
    connection.closeSync();
  });

  test('values come back by token and are nowhere readable in the store', async () => {
    await vault.put(
      ['ana@example.com', 'Ana 🙂', ''].map((value) => ({ token: vault.token(value), field: 'f', value })),
      0n,
    );
    for (const value of ['ana@example.com', 'Ana 🙂', '']) expect(await has(value)).toBe(true);
    const stored = await sql.database.select().from(vaultValues);
    for (const row of stored) expect(Buffer.from(row.ciphertext).toString('latin1')).not.toContain('ana@');
  });

  test('the same value twice, in one batch or later, is one row', async () => {
    const entry = { token: vault.token('x'), field: 'f', value: 'x' };
    await vault.put([entry, entry], 0n);
    await vault.put([entry], 0n);
    expect(await sql.database.select().from(vaultValues)).toHaveLength(1);
  });

  test('erasing a person takes all of theirs and leaves what another shares with them', async () => {
    await put('ana@example.com', 'lead:1');
    await put('Ana', 'lead:1');
    await put('Ana', 'lead:2');
    expect(await vault.erase({ person: 'lead:1' })).toBe(1);
    expect(await has('ana@example.com')).toBe(false);
    expect(await has('Ana')).toBe(true);
    expect(await vault.erase({ person: 'lead:2' })).toBe(1);
    expect(await has('Ana')).toBe(false);
  });

  test('erasing by e-mail address takes everything of everybody who has it', async () => {
    await put('ana@example.com', 'lead:1');
    await put('ana@example.com', 'user:9');
    await put('+49 30 1', 'user:9');
    await put('bob@example.com', 'lead:3');
    expect(await vault.erase({ value: 'ana@example.com' })).toBe(2);
    expect(await has('+49 30 1')).toBe(false);
    expect(await has('bob@example.com')).toBe(true);
    expect(await vault.erase({ value: 'ana@example.com' })).toBe(0);
  });

  test('after a rotation old values are read, tokens are the same, and re-encrypting moves every value', async () => {
    await put('a', 'lead:1');
    await put('b', 'lead:1');
    const before = vault.token('a');
    keys = await rotateVaultKey(keysFile);
    vault = await Vault.open(sql, keys);
    expect(vault.token('a')).toBe(before);
    expect(await has('a')).toBe(true);
    expect([await vault.reencrypt(1), await vault.reencrypt(5), await vault.reencrypt()]).toEqual([1, 1, 0]);
    vault = await Vault.open(sql, { ...keys, encryptionKeys: [keys.encryptionKeys[0]] });
    expect(await has('b')).toBe(true);
  });

  test('another token key is refused: joins would silently break', async () => {
    await expect(Vault.open(sql, { ...keys, tokenKey: new Uint8Array(32) })).rejects.toMatchObject({
      code: 'invalid_config',
    });
  });

  test('a ciphertext moved to another row does not decrypt', async () => {
    await put('a');
    await put('b');
    const [one] = await sql.database.select().from(vaultValues);
    await sql.database.update(vaultValues).set({ ciphertext: one?.ciphertext ?? new Uint8Array() });
    await expect(vault.read([vault.token('a'), vault.token('b')])).rejects.toMatchObject({
      code: 'invariant_broken',
    });
  });
});

describe('vault keys', () => {
  test('are made once, readable by their owner alone', async () => {
    const keysFile = newKeysFile();
    const first = await loadVaultKeys(keysFile, NO_SECRETS);
    expect(await loadVaultKeys(keysFile, NO_SECRETS)).toEqual(first);
    expect(statSync(keysFile).mode & 0o777).toBe(0o600);
  });

  test('of the environment go first, and those before them still decrypt', async () => {
    const keysFile = newKeysFile();
    const own = await loadVaultKeys(keysFile, NO_SECRETS);
    const given = await loadVaultKeys(
      keysFile,
      new Secrets({ vaultKey: new Uint8Array(32).fill(1), tokenKey: null }),
    );
    expect(given.encryptionKeys.map(({ keyId }) => keyId).slice(1)).toEqual([own.encryptionKeys[0].keyId]);
    expect(given.tokenKey).toEqual(own.tokenKey);
  });

  test('a damaged file is named, and its content is not shown', async () => {
    const keysFile = newKeysFile();
    writeFileSync(keysFile, '{"tokenKey": "aHVudGVyMg==", ');
    await expect(loadVaultKeys(keysFile, NO_SECRETS)).rejects.toMatchObject({
      code: 'data_directory_corrupt',
    });
    await expect(loadVaultKeys(keysFile, NO_SECRETS)).rejects.not.toThrow(/aHVudGVy/);
    expect(readFileSync(keysFile, 'utf8')).toContain('aHVudGVyMg');
  });
});
