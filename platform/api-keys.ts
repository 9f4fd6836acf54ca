import { randomBytes, timingSafeEqual } from 'node:crypto';
import { asc, eq, isNull, and } from 'drizzle-orm';
import { z } from 'zod';
import { InputError } from '../core/errors.js';
import { newId, RANDOM_BYTES } from '../core/ids.js';
import { MICROS_PER_SECOND, type Instant } from '../core/time.js';
import type { AuditLog } from './audit-log.js';
import { ROLE_SCOPES, RoleSchema, ScopeSchema, type Role, type Scope } from './key-scopes.js';
import { apiKeys } from './sql/schema.js';
import type { Sql } from './sql/sql.js';
import { sha256 } from './sha256.js';

export interface ApiKey {
  readonly keyId: string;
  readonly name: string;
  readonly role: Role | null;
  readonly scopes: readonly Scope[];
  readonly createdAt: Instant;
  readonly lastUsedAt: Instant | null;
  readonly revokedAt: Instant | null;
}

export interface NewApiKey {
  readonly name: string;
  readonly role?: Role;
  /** Beside the role's own. */
  readonly scopes?: readonly Scope[];
}

export type Authentication =
  | { readonly ok: true; readonly key: ApiKey }
  | { readonly ok: false; readonly reason: 'key_invalid' | 'key_revoked' };

/** Within this a key is not looked up again: short enough for another process's revocation. */
const REMEMBERED_FOR = 2n * MICROS_PER_SECOND;
/** From this age on a key in use is looked up beside the requests it came with, so that none of them waits. */
const REFRESHED_AFTER = MICROS_PER_SECOND;
/** More keys than this in use at once are looked up again; without a bound, wrong keys would fill memory. */
const REMEMBERED_KEYS = 1000;
const LAST_USED_EVERY = 60n * MICROS_PER_SECOND;
const SECRET_BYTES = 24;

interface Remembered {
  readonly key: ApiKey;
  readonly at: Instant;
}

/** Bearer keys. The secret is 192 random bits, so a plain hash of it can't be searched backwards. */
export class ApiKeys {
  /** By the hash of their secret, or by their id. */
  private readonly remembered = new Map<string, Remembered>();
  /** Requests that come while a key is looked up wait for that one lookup. */
  private readonly lookups = new Map<string, Promise<ApiKey | null>>();
  /** Raised by every revocation: what was read before one is not remembered after it. */
  private generation = 0;

  constructor(
    private readonly sql: Sql,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Makes a key, and says so in the audit log.
   *
   * @param by who makes it, as the audit log will name them
   * @returns the key, and the secret that is shown this once
   */
  async create(wanted: NewApiKey, by: string, now: Instant): Promise<{ key: ApiKey; secret: string }> {
    const scopes = [
      ...new Set<Scope>([...(wanted.role ? ROLE_SCOPES[wanted.role] : []), ...(wanted.scopes ?? [])]),
    ];
    if (scopes.length === 0) {
      throw new InputError('invalid_argument', 'keys: a key needs a role or at least one scope');
    }
    const secret = `hg_${randomBytes(SECRET_BYTES).toString('base64url')}`;
    const row = {
      keyId: newId('key', now, randomBytes(RANDOM_BYTES)),
      name: wanted.name,
      secretHash: hashOf(secret),
      role: wanted.role ?? null,
      scopes,
      createdAt: now,
    };
    await this.sql.database.insert(apiKeys).values(row);
    await this.audit.append(
      { actor: by, action: 'key.create', target: row.keyId, details: { scopes: [...scopes] } },
      now,
    );
    return { key: { ...row, lastUsedAt: null, revokedAt: null }, secret };
  }

  async authenticate(secret: string, now: Instant): Promise<Authentication> {
    const hash = hashOf(secret);
    const remembered = this.remembered.get(hash);
    const age = remembered === undefined ? REMEMBERED_FOR : now - remembered.at;
    if (remembered === undefined || age >= REMEMBERED_FOR || isUseDue(remembered.key, now)) {
      return verdict(await this.lookUp(hash, now));
    }
    // Nobody waits for this one, and if it fails the request after REMEMBERED_FOR finds out.
    if (age >= REFRESHED_AFTER) this.lookUp(hash, now).catch(() => undefined);
    return verdict(remembered.key);
  }

  /**
   * For who proved before that they hold the key: a session. Null of a key that there is not; a revoked one says so.
   *
   * @param keyId comes from us, signed: it is no secret
   */
  async byId(keyId: string, now: Instant): Promise<ApiKey | null> {
    const remembered = this.remembered.get(keyId);
    if (remembered !== undefined && now - remembered.at < REMEMBERED_FOR) return remembered.key;
    const { generation } = this;
    const [row] = await this.sql.database.select().from(apiKeys).where(eq(apiKeys.keyId, keyId));
    if (!row) return null;
    const key = keyOf(row);
    if (key.revokedAt !== null || generation !== this.generation) return key;
    this.remember(keyId, { key, at: now });
    return key;
  }

  /** Newest last; revoked keys stay listed. */
  async list(): Promise<ApiKey[]> {
    const rows = await this.sql.database.select().from(apiKeys).orderBy(asc(apiKeys.keyId));
    return rows.map(keyOf);
  }

  /** Takes effect with the next request, and is on the record. Revoking twice keeps the first time. */
  async revoke(keyId: string, by: string, now: Instant): Promise<ApiKey> {
    this.generation += 1;
    await this.sql.database
      .update(apiKeys)
      .set({ revokedAt: now })
      .where(and(eq(apiKeys.keyId, keyId), isNull(apiKeys.revokedAt)));
    this.generation += 1;
    this.remembered.clear();
    const [row] = await this.sql.database.select().from(apiKeys).where(eq(apiKeys.keyId, keyId));
    if (!row) throw new InputError('not_found', `keys: there is no key ${keyId}`, { status: 404 });
    await this.audit.append({ actor: by, action: 'key.revoke', target: keyId, details: {} }, now);
    return keyOf(row);
  }

  private lookUp(hash: string, now: Instant): Promise<ApiKey | null> {
    const underWay = this.lookups.get(hash);
    if (underWay !== undefined) return underWay;
    const lookup = this.findAndUse(hash, now).finally(() => this.lookups.delete(hash));
    this.lookups.set(hash, lookup);
    return lookup;
  }

  private async findAndUse(hash: string, now: Instant): Promise<ApiKey | null> {
    const { generation } = this;
    const key = await this.find(hash);
    if (key === null || key.revokedAt !== null) return key;
    const isDue = isUseDue(key, now);
    const used = isDue ? { ...key, lastUsedAt: now } : key;
    if (isDue) {
      await this.sql.database.update(apiKeys).set({ lastUsedAt: now }).where(eq(apiKeys.keyId, key.keyId));
    }
    if (generation !== this.generation) return this.find(hash);
    this.remember(hash, { key: used, at: now });
    return used;
  }

  private remember(name: string, remembered: Remembered): void {
    if (this.remembered.size >= REMEMBERED_KEYS) this.remembered.clear();
    this.remembered.set(name, remembered);
  }

  private async find(hash: string): Promise<ApiKey | null> {
    const [row] = await this.sql.database.select().from(apiKeys).where(eq(apiKeys.secretHash, hash));
    // The index compared hashes already; comparing once more in constant time leaves nothing to measure.
    return row && timingSafeEqual(Buffer.from(row.secretHash), Buffer.from(hash)) ? keyOf(row) : null;
  }
}

function isUseDue({ lastUsedAt }: ApiKey, now: Instant): boolean {
  return lastUsedAt === null || now - lastUsedAt >= LAST_USED_EVERY;
}

function verdict(key: ApiKey | null): Authentication {
  if (key === null) return { ok: false, reason: 'key_invalid' };
  return key.revokedAt === null ? { ok: true, key } : { ok: false, reason: 'key_revoked' };
}

function hashOf(secret: string): string {
  return sha256(secret);
}

const StoredScopes = z.array(ScopeSchema);

function keyOf(row: typeof apiKeys.$inferSelect): ApiKey {
  return {
    keyId: row.keyId,
    name: row.name,
    role: row.role === null ? null : RoleSchema.parse(row.role),
    scopes: StoredScopes.parse(row.scopes),
    createdAt: row.createdAt,
    lastUsedAt: row.lastUsedAt,
    revokedAt: row.revokedAt,
  };
}
