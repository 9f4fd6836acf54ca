import { and, eq, isNull, lte, sql as sqlText, type SQL } from 'drizzle-orm';
import { InputError, RefusedError } from '../core/errors.js';
import { idempotencyKeys } from '../platform/sql/schema.js';
import type { Sql } from '../platform/sql/sql.js';
import { sha256 } from '../platform/sha256.js';

/** How long an answer is kept for whoever asks again. */
const KEPT = sqlText`interval '24 hours'`;
/** Work that gave no sign of life for this long died with its process; another may do it. */
const ABANDONED = sqlText`interval '60 seconds'`;
const SIGN_OF_LIFE_MS = 20_000;
/** Expired keys that one request takes away, so that none of them waits for a long cleaning. */
const FORGOTTEN_AT_ONCE = 100;
const KEY = /^[\x21-\x7e]{1,255}$/;

/** An answer as it went out, so that it can go out again. */
export interface StoredAnswer {
  readonly status: number;
  readonly answer: string;
}

export interface IdempotentRequest {
  /** Whose key it is: callers can't meet each other's. */
  readonly scope: string;
  readonly key: string;
  readonly body: Uint8Array;
}

/** A claim on a key: whoever made it, and nobody else, writes down its answer. */
interface Claim {
  readonly isOurs: SQL | undefined;
}

/**
 * Does the work once for a key and gives its answer to everybody who sends key and body again, to whichever process. Work that throws
 * leaves no trace, so it can be tried again. Times are the database's.
 *
 * @throws InputError `idempotency_key_reused` (422) when the key came with another body
 * @throws RefusedError `conflict` (409) while the first request is still under way
 */
export async function answerOnce(
  sql: Sql,
  { scope, key, body }: IdempotentRequest,
  work: () => Promise<StoredAnswer>,
): Promise<StoredAnswer> {
  if (!KEY.test(key)) {
    throw new InputError(
      'invalid_argument',
      'Idempotency-Key must be 1 to 255 visible ASCII characters; a UUID is a good one',
    );
  }
  const requestDigest = sha256(body);
  await forgetExpired(sql);
  const claim = await claimKey(sql, { scope, key, requestDigest });
  if (claim === null) return storedAnswer(sql, { scope, key, requestDigest });
  const signs = setInterval(() => void giveSignOfLife(sql, claim), SIGN_OF_LIFE_MS);
  try {
    const done = await work();
    await sql.database
      .update(idempotencyKeys)
      .set({ ...done, expiresAt: fromNow(KEPT) })
      .where(claim.isOurs);
    return done;
  } catch (error) {
    await sql.database.delete(idempotencyKeys).where(claim.isOurs);
    throw error;
  } finally {
    clearInterval(signs);
  }
}

interface KeyedRequest {
  readonly scope: string;
  readonly key: string;
  readonly requestDigest: string;
}

/** Takes a key that nobody has, or whose time is up. Null when it is somebody's. */
async function claimKey(sql: Sql, request: KeyedRequest): Promise<Claim | null> {
  const ours = {
    requestDigest: request.requestDigest,
    status: null,
    answer: null,
    createdAt: sqlText`clock_timestamp()`,
    expiresAt: fromNow(ABANDONED),
  };
  const [claimed] = await sql.database
    .insert(idempotencyKeys)
    .values({ ...request, ...ours })
    .onConflictDoUpdate({
      target: [idempotencyKeys.scope, idempotencyKeys.key],
      set: ours,
      setWhere: hasExpired,
    })
    .returning({ createdAt: idempotencyKeys.createdAt });
  if (claimed === undefined) return null;
  const isThisKey = and(eq(idempotencyKeys.scope, request.scope), eq(idempotencyKeys.key, request.key));
  return { isOurs: and(isThisKey, eq(idempotencyKeys.createdAt, claimed.createdAt)) };
}

async function storedAnswer(sql: Sql, { scope, key, requestDigest }: KeyedRequest): Promise<StoredAnswer> {
  const [stored] = await sql.database
    .select()
    .from(idempotencyKeys)
    .where(and(eq(idempotencyKeys.scope, scope), eq(idempotencyKeys.key, key)));
  if (stored && stored.requestDigest !== requestDigest) {
    throw new InputError(
      'idempotency_key_reused',
      'this Idempotency-Key came before with another body; use a new key for a new request',
      { status: 422 },
    );
  }
  if (stored && stored.status !== null && stored.answer !== null) {
    return { status: stored.status, answer: stored.answer };
  }
  throw new RefusedError(
    'conflict',
    'the first request with this Idempotency-Key is still under way; ask again in a second',
    { details: { retryAfterSeconds: 1 } },
  );
}

/** When it can't be given, the claim lasts for what is left of its time. */
async function giveSignOfLife(sql: Sql, claim: Claim): Promise<void> {
  await sql.database
    .update(idempotencyKeys)
    .set({ expiresAt: fromNow(ABANDONED) })
    .where(and(claim.isOurs, isNull(idempotencyKeys.status)))
    .catch(() => undefined);
}

/** Several processes do this at once: each leaves what another has at hand. */
async function forgetExpired(sql: Sql): Promise<void> {
  const expired = sql.database
    .select({ scope: idempotencyKeys.scope, key: idempotencyKeys.key })
    .from(idempotencyKeys)
    .where(hasExpired)
    .limit(FORGOTTEN_AT_ONCE)
    .for('update', { skipLocked: true });
  await sql.database
    .delete(idempotencyKeys)
    .where(sqlText`(${idempotencyKeys.scope}, ${idempotencyKeys.key}) in ${expired}`);
}

const hasExpired = lte(idempotencyKeys.expiresAt, sqlText`clock_timestamp()`);

function fromNow(interval: SQL): SQL {
  return sqlText`clock_timestamp() + ${interval}`;
}
