import { createHash } from 'node:crypto';
import { and, eq, isNull, lt } from 'drizzle-orm';
import { InputError, RefusedError } from '../core/errors.js';
import type { Instant } from '../core/time.js';
import { idempotencyKeys } from '../platform/sql/schema.js';
import type { Sql } from '../platform/sql/sql.js';

const MICROS_PER_SECOND = 1_000_000n;
/** How long an answer is kept for whoever asks again. */
const KEPT_MICROS = 24n * 3600n * MICROS_PER_SECOND;
/** A first request that has not answered by then died with its process; another may do its work. */
const ABANDONED_MICROS = 60n * MICROS_PER_SECOND;
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

/**
 * Does the work once for a key and gives its answer to everybody who sends key and body again. Work that throws
 * leaves no trace, so it can be tried again.
 *
 * @throws InputError `idempotency_key_reused` (422) when the key came with another body
 * @throws RefusedError `conflict` (409) while the first request is still under way
 */
export async function answerOnce(
  sql: Sql,
  { scope, key, body }: IdempotentRequest,
  now: Instant,
  work: () => Promise<StoredAnswer>,
): Promise<StoredAnswer> {
  if (!KEY.test(key)) {
    throw new InputError(
      'invalid_argument',
      'Idempotency-Key must be 1 to 255 visible ASCII characters; a UUID is a good one',
    );
  }
  const isThisKey = and(eq(idempotencyKeys.scope, scope), eq(idempotencyKeys.key, key));
  const requestDigest = createHash('sha256').update(body).digest('hex');
  await forgetOld(sql, now);
  const stored = await claim(sql, { scope, key, requestDigest }, now);
  if (stored) return stored;
  try {
    const done = await work();
    await sql.database
      .update(idempotencyKeys)
      .set({ status: done.status, answer: done.answer })
      .where(isThisKey);
    return done;
  } catch (error) {
    await sql.database.delete(idempotencyKeys).where(and(isThisKey, isNull(idempotencyKeys.status)));
    throw error;
  }
}

/** Null when the work is ours to do. */
async function claim(
  sql: Sql,
  { scope, key, requestDigest }: { scope: string; key: string; requestDigest: string },
  now: Instant,
): Promise<StoredAnswer | null> {
  const claimed = await sql.database
    .insert(idempotencyKeys)
    .values({ scope, key, requestDigest, createdAt: now, expiresAt: now + KEPT_MICROS })
    .onConflictDoNothing()
    .returning({ key: idempotencyKeys.key });
  if (claimed.length > 0) return null;
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

async function forgetOld(sql: Sql, now: Instant): Promise<void> {
  await sql.database.delete(idempotencyKeys).where(lt(idempotencyKeys.expiresAt, now));
  await sql.database
    .delete(idempotencyKeys)
    .where(and(isNull(idempotencyKeys.status), lt(idempotencyKeys.createdAt, now - ABANDONED_MICROS)));
}
