import { createHmac, timingSafeEqual } from 'node:crypto';
import { MICROS_PER_SECOND, type Instant } from '../../core/time.js';
import type { SecretText } from '../../platform/secrets.js';

/** Both ways: one that comes too late may be a replay, and one from the future could be replayed until then. */
export const TOLERANCE_SECONDS = 300n;
/** Stripe signs once for each secret in use. */
const MOST_SIGNATURES = 10;
const TIME = /^\d{1,12}$/;
const SIGNATURE = /^[0-9a-f]{64}$/;

export type SignatureCheck = 'valid' | 'malformed' | 'wrong_time' | 'wrong_signature';

/**
 * Whether a body is what the holder of one of the secrets sent, just now: HMAC-SHA256 of `<time>.<body>`, over the bytes as they came.
 *
 * @param header `t=1767225600,v1=5257a8…`; schemes other than v1 are passed over
 */
export function checkSignature(
  body: Uint8Array,
  header: string | null,
  secrets: readonly SecretText[],
  now: Instant,
): SignatureCheck {
  const parts = (header ?? '').split(',').map((part): [string, string] => {
    const at = part.indexOf('=');
    return [part.slice(0, at).trim(), part.slice(at + 1).trim()];
  });
  const times = parts.filter(([name]) => name === 't').map(([, value]) => value);
  const given = parts.filter(([name, value]) => name === 'v1' && SIGNATURE.test(value));
  const [time] = times;
  if (time === undefined || times.length > 1 || !TIME.test(time)) return 'malformed';
  if (given.length === 0 || given.length > MOST_SIGNATURES) return 'malformed';
  // All are compared, so that how long it takes tells nothing of which one fits.
  const fits = secrets.flatMap((secret) => {
    const expected = createHmac('sha256', secret.reveal()).update(`${time}.`).update(body).digest();
    return given.map(([, value]) => timingSafeEqual(expected, Buffer.from(value, 'hex')));
  });
  if (!fits.includes(true)) return 'wrong_signature';
  const apart = now / MICROS_PER_SECOND - BigInt(time);
  return apart > TOLERANCE_SECONDS || apart < -TOLERANCE_SECONDS ? 'wrong_time' : 'valid';
}
