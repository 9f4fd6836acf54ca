import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { and, asc, eq, inArray, ne, notExists, notInArray, sql as sqlText } from 'drizzle-orm';
import { compareText } from '../core/compare.js';
import { InvariantError, RefusedError } from '../core/errors.js';
import type { Instant } from '../core/time.js';
import { checkFingerprint } from './sql/installation.js';
import { vaultPersons, vaultValues } from './sql/schema.js';
import { transaction, type Sql, type SqlDatabase } from './sql/sql.js';
import { fingerprintOf, type EncryptionKey, type VaultKeys } from './vault-keys.js';
import { HOW_TO_SHARE_KEYS, shareEncryptionKey } from './vault-sharing.js';

export interface VaultEntry {
  readonly token: string;
  /** Where it was seen, for people who read the vault: `lead.upserted.email`. */
  readonly field: string;
  readonly value: string;
  /** Whose it is (`lead:lead_7`), so that erasing one person takes all of theirs. */
  readonly person?: string;
}

/** A person by the name of the record (`lead:lead_7`), or everybody who has a value. */
export type Who = { readonly person: string } | { readonly value: string };

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const TOKEN_DIGITS = 32;
const HMAC_BLOCK_BYTES = 64;
/** Postgres takes 65,535 parameters in a statement; five a row leaves room. */
const BATCH = 2000;
/** Any constant will do, as long as nothing else in this database locks on it. */
const ERASE_LOCK = 4_871_004;

/**
 * Personal values, encrypted, behind tokens that raw tables hold in their place. The same value always has the same
 * token, so joins work; without the token key nobody can try values out.
 */
export class Vault {
  private constructor(
    private readonly sql: Sql,
    private readonly keys: VaultKeys,
  ) {}

  /** @throws RefusedError when this store's tokens or values were made with keys that this process does not have */
  static async open(sql: Sql, keys: VaultKeys): Promise<Vault> {
    await checkFingerprint(
      sql,
      'token_key',
      fingerprintOf(keys.tokenKey),
      'vault: HEADGATE_TOKEN_KEY is not the key that this store began with; ' +
        (sql.isShared ? HOW_TO_SHARE_KEYS : 'put the first one back (it never changes)'),
    );
    if (sql.isShared) await shareEncryptionKey(sql, keys);
    return new Vault(sql, keys);
  }

  /** `tok_` and 128 bits of HMAC-SHA256 over the value's UTF-8 bytes. */
  token(value: string): string {
    const digest = createHmac('sha256', this.keys.tokenKey).update(value).digest('hex');
    return `tok_${digest.slice(0, TOKEN_DIGITS)}`;
  }

  /** A key for something else, the same wherever tokens are the same; from it nobody finds the way back. */
  derivedKey(purpose: string): Uint8Array {
    return createHmac('sha256', this.keys.tokenKey).update(`headgate key for ${purpose}`).digest();
  }

  /**
   * The same token in DuckDB's SQL (it has SHA-256 but no HMAC), for rows that never pass through JavaScript.
   * `value` is a SQL expression of text; the parameters hold key material: bind them, never print them.
   */
  tokenSql(value: string): { sql: string; parameters: Readonly<Record<string, string>> } {
    const inner = `sha256(unhex($token_inner) || encode(${value}))`;
    const pad = (byte: number) => {
      const padded = Buffer.alloc(HMAC_BLOCK_BYTES);
      padded.set(this.keys.tokenKey);
      return Buffer.from(padded.map((keyByte) => keyByte ^ byte)).toString('hex');
    };
    return {
      sql: `('tok_' || left(sha256(unhex($token_outer) || unhex(${inner})), ${TOKEN_DIGITS}))`,
      parameters: { token_inner: pad(0x36), token_outer: pad(0x5c) },
    };
  }

  /** Values already there stay as they are. */
  async put(entries: readonly VaultEntry[], now: Instant): Promise<void> {
    for (let start = 0; start < entries.length; start += BATCH) {
      await transaction(this.sql, (database) =>
        this.putBatch(database, entries.slice(start, start + BATCH), now),
      );
    }
  }

  /** Those of the tokens that have a value. */
  async known(tokens: readonly string[]): Promise<Set<string>> {
    const known = new Set<string>();
    for (let start = 0; start < tokens.length; start += BATCH) {
      const rows = await this.sql.database
        .select({ token: vaultValues.token })
        .from(vaultValues)
        .where(inArray(vaultValues.token, tokens.slice(start, start + BATCH)));
      for (const { token } of rows) known.add(token);
    }
    return known;
  }

  /** Values by token; tokens that were erased, or never were, are left out. */
  async read(tokens: readonly string[]): Promise<Map<string, string>> {
    const values = new Map<string, string>();
    for (let start = 0; start < tokens.length; start += BATCH) {
      const rows = await this.sql.database
        .select()
        .from(vaultValues)
        .where(inArray(vaultValues.token, tokens.slice(start, start + BATCH)));
      for (const row of rows) values.set(row.token, this.decrypt(row));
    }
    return values;
  }

  /** What `erase` would take: the values that nobody else has. */
  async valuesOf(who: Who): Promise<string[]> {
    const { database } = this.sql;
    const { persons, tokens } = await this.belongingTo(database, who);
    const shared = await database
      .selectDistinct({ token: vaultPersons.token })
      .from(vaultPersons)
      .where(and(inArray(vaultPersons.token, tokens), notInArray(vaultPersons.person, persons)));
    const others = new Set(shared.map(({ token }) => token));
    return [...(await this.read(tokens.filter((token) => !others.has(token)))).values()];
  }

  /**
   * Forgets a person: by name of the record (`lead:lead_7`), or by one of the values, which takes everybody it was
   * seen for. What another person shares with them ("Ana") stays for the other. Returns how many values are gone.
   */
  async erase(who: Who): Promise<number> {
    return transaction(this.sql, async (database) => {
      // Nobody may say meanwhile that another person has one of these values, too.
      await database.execute(sqlText`select pg_advisory_xact_lock(${ERASE_LOCK})`);
      const { persons, tokens } = await this.belongingTo(database, who);
      if (persons.length > 0)
        await database.delete(vaultPersons).where(inArray(vaultPersons.person, persons));
      if (tokens.length === 0) return 0;
      const stillSeen = database
        .select({ one: sqlText`1` })
        .from(vaultPersons)
        .where(eq(vaultPersons.token, vaultValues.token));
      const gone = await database
        .delete(vaultValues)
        .where(and(inArray(vaultValues.token, tokens), notExists(stillSeen)))
        .returning({ token: vaultValues.token });
      return gone.length;
    });
  }

  /** After a rotation: moves up to `limit` values to the newest key. Returns how many it moved; 0 means done. */
  async reencrypt(limit: number = BATCH): Promise<number> {
    const [newest] = this.keys.encryptionKeys;
    return transaction(this.sql, async (database) => {
      const rows = await database
        .select()
        .from(vaultValues)
        .where(ne(vaultValues.keyId, newest.keyId))
        .orderBy(asc(vaultValues.token))
        .limit(limit)
        .for('update');
      for (const row of rows) {
        const ciphertext = encrypt(newest, row.token, this.decrypt(row));
        await database
          .update(vaultValues)
          .set({ ciphertext, keyId: newest.keyId })
          .where(eq(vaultValues.token, row.token));
      }
      return rows.length;
    });
  }

  /** Who is meant, and every token that was seen for them. */
  private async belongingTo(
    database: SqlDatabase,
    who: Who,
  ): Promise<{ readonly persons: string[]; readonly tokens: string[] }> {
    if ('person' in who) return { persons: [who.person], tokens: await tokensOf(database, [who.person]) };
    const token = this.token(who.value);
    const persons = await personsWith(database, token);
    return { persons, tokens: [...(await tokensOf(database, persons)), token] };
  }

  private async putBatch(database: SqlDatabase, entries: readonly VaultEntry[], now: Instant): Promise<void> {
    const [newest] = this.keys.encryptionKeys;
    await database.execute(sqlText`select pg_advisory_xact_lock_shared(${ERASE_LOCK})`);
    // One statement can't insert a token twice, and a batch of events often names a person twice. Sorted, since two processes that
    // insert the same tokens in different orders would wait for each other.
    const byToken = new Map(entries.map((entry) => [entry.token, entry]));
    const values = [...byToken.values()].sort((a, b) => compareText(a.token, b.token));
    await database
      .insert(vaultValues)
      .values(
        values.map(({ token, field, value }) => ({
          token,
          field,
          ciphertext: encrypt(newest, token, value),
          keyId: newest.keyId,
          createdAt: now,
        })),
      )
      .onConflictDoNothing();
    const persons = entries
      .flatMap(({ person, token }) => (person === undefined ? [] : [{ person, token }]))
      .sort((a, b) => compareText(a.person, b.person) || compareText(a.token, b.token));
    if (persons.length > 0) await database.insert(vaultPersons).values(persons).onConflictDoNothing();
  }

  private decrypt({ token, keyId, ciphertext }: typeof vaultValues.$inferSelect): string {
    const key = this.keys.encryptionKeys.find((candidate) => candidate.keyId === keyId);
    if (!key) {
      throw new RefusedError(
        'invalid_config',
        `vault: the key ${keyId} is missing; ` +
          (this.sql.isShared ? HOW_TO_SHARE_KEYS : "restore the data directory's keys.json"),
      );
    }
    return decrypt(key, token, ciphertext);
  }
}

async function personsWith(database: SqlDatabase, token: string): Promise<string[]> {
  const rows = await database.select().from(vaultPersons).where(eq(vaultPersons.token, token));
  return rows.map((row) => row.person);
}

async function tokensOf(database: SqlDatabase, persons: readonly string[]): Promise<string[]> {
  if (persons.length === 0) return [];
  const rows = await database
    .select()
    .from(vaultPersons)
    .where(inArray(vaultPersons.person, [...persons]));
  return rows.map((row) => row.token);
}

/** The token is authenticated too: a ciphertext moved to another row does not decrypt. */
function encrypt({ key }: EncryptionKey, token: string, value: string): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(token));
  const body = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
  return new Uint8Array(Buffer.concat([nonce, body, cipher.getAuthTag()]));
}

function decrypt({ key }: EncryptionKey, token: string, sealed: Uint8Array): string {
  try {
    const bytes = Buffer.from(sealed);
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES))
      .setAAD(Buffer.from(token))
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    const body = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
    return Buffer.concat([body, decipher.final()]).toString('utf8');
  } catch (error) {
    throw new InvariantError('vault: a value does not decrypt; the row or its key was changed', {
      cause: error,
    });
  }
}
