import type { Context } from 'hono';
import { deleteCookie, getSignedCookie, setSignedCookie } from 'hono/cookie';
import { MICROS_PER_SECOND, type Instant } from '../../core/time.js';
import type { ApiKey, ApiKeys } from '../../platform/api-keys.js';

/** Long enough for a working day; a key that is revoked ends it at once. */
const LASTS_SECONDS = 12 * 3600;
const COOKIE = 'headgate_session';
const PATH = '/dashboards';
const VALUE = /^(key_[0-9a-z]{1,40})\.(\d{1,12})$/;

export interface SessionKeys {
  readonly keys: Pick<ApiKeys, 'byId'>;
  /** Signs cookies: the same in every process that shares a store. */
  readonly sessionKey: Uint8Array;
  readonly clock: () => Instant;
}

/**
 * Who is signed in to the dashboards. The cookie names the key and when it ends, signed; what the key may do is looked up with each
 * request, so that a revoked key opens nothing any more.
 */
export class Sessions {
  private readonly secret: ArrayBuffer;

  constructor(private readonly parts: SessionKeys) {
    this.secret = Uint8Array.from(parts.sessionKey).buffer;
  }

  /** Null where there is none, or it is forged, over, or of a key that was revoked. */
  async keyOf(context: Context): Promise<ApiKey | null> {
    const value = await getSignedCookie(context, this.secret, COOKIE);
    const [, keyId, ends] = (typeof value === 'string' ? VALUE.exec(value) : null) ?? [];
    const now = this.parts.clock();
    if (keyId === undefined || BigInt(ends ?? 0) * MICROS_PER_SECOND <= now) return null;
    const key = await this.parts.keys.byId(keyId, now);
    return key === null || key.revokedAt !== null ? null : key;
  }

  async begin(context: Context, { keyId }: ApiKey): Promise<void> {
    const ends = this.parts.clock() / MICROS_PER_SECOND + BigInt(LASTS_SECONDS);
    await setSignedCookie(context, COOKIE, `${keyId}.${ends}`, this.secret, {
      path: PATH,
      httpOnly: true,
      // A link to a page, from a mail, should open it; nothing but sign-in and sign-out takes a POST, and these ask where it came from.
      sameSite: 'Lax',
      secure: isOverTls(context),
      maxAge: LASTS_SECONDS,
    });
  }

  end(context: Context): void {
    deleteCookie(context, COOKIE, { path: PATH, secure: isOverTls(context) });
  }
}

/** A proxy in front says what it was asked by; a browser sends no secure cookie over plain HTTP. */
function isOverTls(context: Context): boolean {
  return (context.req.header('x-forwarded-proto') ?? new URL(context.req.url).protocol).startsWith('https');
}
