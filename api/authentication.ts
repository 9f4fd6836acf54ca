import { createHash, timingSafeEqual } from 'node:crypto';
import { RefusedError } from '../core/errors.js';
import type { ApiKey } from '../platform/api-keys.js';
import { allows, type Scope } from '../platform/key-scopes.js';
import type { Services } from './services.js';

/** The user of this machine who may read the data directory; audited as `local`. */
const LOCAL_KEY: ApiKey = {
  keyId: 'local',
  name: 'this machine',
  role: 'admin',
  scopes: ['admin'],
  createdAt: 0n,
  lastUsedAt: null,
  revokedAt: null,
};

const BEARER = /^Bearer ([A-Za-z0-9_-]{8,200})$/;

/** Tells who sends a request. */
export type Authenticate = (request: Request) => Promise<ApiKey>;

/**
 * By its bearer key.
 *
 * @throws RefusedError (401) `key_missing`, `key_invalid` or `key_revoked`; none says whether a similar key exists
 */
export function createAuthentication({ keys, clock, localToken }: Services): Authenticate {
  const localDigest = digestOf(localToken);
  return async (request) => {
    const header = request.headers.get('authorization');
    if (header === null) {
      throw new RefusedError(
        'key_missing',
        'send a key: Authorization: Bearer hg_…; headgate keys create makes one',
        { status: 401 },
      );
    }
    const secret = BEARER.exec(header)?.[1];
    if (secret === undefined) throw unknownKey('key_invalid');
    // Digests compare in constant time, whatever the lengths.
    if (timingSafeEqual(digestOf(secret), localDigest)) return LOCAL_KEY;
    const result = await keys.authenticate(secret, clock());
    if (!result.ok) throw unknownKey(result.reason);
    return result.key;
  };
}

/** @throws RefusedError (403) `scope_missing`, naming the scopes that the key lacks */
export function requireScopes(key: ApiKey, needed: readonly Scope[]): void {
  const missing = needed.filter((scope) => !allows(key.scopes, scope));
  if (missing.length === 0) return;
  throw new RefusedError(
    'scope_missing',
    `this needs the scope ${missing.join(' and ')}, and key ${key.keyId} has ${key.scopes.join(', ')}`,
    { status: 403, details: { needed: [...needed] } },
  );
}

function unknownKey(reason: 'key_invalid' | 'key_revoked'): RefusedError {
  const says = reason === 'key_revoked' ? 'this key was revoked' : 'this key is not known';
  return new RefusedError(reason, `${says}; headgate keys list shows those that are`, { status: 401 });
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
