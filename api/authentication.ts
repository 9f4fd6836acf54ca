import { createHash, timingSafeEqual } from 'node:crypto';
import { RefusedError } from '../core/errors.js';
import { allows, type ApiKey, type Scope } from '../platform/api-keys.js';
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

/**
 * Who sends a request, by its bearer key.
 *
 * @throws RefusedError (401) `key_missing`, `key_invalid` or `key_revoked`; none says whether a similar key exists
 */
export async function authenticate(request: Request, services: Services): Promise<ApiKey> {
  const header = request.headers.get('authorization');
  if (header === null) {
    throw new RefusedError(
      'key_missing',
      'send a key: Authorization: Bearer hg_…; headgate keys create makes one',
      {
        status: 401,
      },
    );
  }
  const secret = BEARER.exec(header)?.[1];
  if (secret !== undefined && isSame(secret, services.localToken)) return LOCAL_KEY;
  const result =
    secret === undefined
      ? ({ ok: false, reason: 'key_invalid' } as const)
      : await services.keys.authenticate(secret, services.clock());
  if (result.ok) return result.key;
  const says = result.reason === 'key_revoked' ? 'this key was revoked' : 'this key is not known';
  throw new RefusedError(result.reason, `${says}; headgate keys list shows those that are`, { status: 401 });
}

/** @throws RefusedError (403) `scope_missing`, naming the scope that the key lacks */
export function requireScope(key: ApiKey, needed: Scope): void {
  if (allows(key.scopes, needed)) return;
  throw new RefusedError(
    'scope_missing',
    `this needs the scope ${needed}, and key ${key.keyId} has ${key.scopes.join(', ')}`,
    { status: 403, details: { needed } },
  );
}

/** Compares in constant time, whatever the lengths. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
