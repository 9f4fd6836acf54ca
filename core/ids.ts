import { divideFloored } from './decimal.js';
import { invariant } from './errors.js';
import type { HashHex } from './identity.js';
import type { Instant } from './time.js';

/** Crockford's base 32 in lower case: no i, l, o, u, and its order is the order of ASCII. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const PREFIX = /^[a-z][a-z0-9]{1,11}$/;
const TIME_LENGTH = 10;
export const RANDOM_BYTES = 10;
const DERIVED_LENGTH = 32;

/**
 * `inv_01jz…`: a prefix, the millisecond, then 80 random bits. Ids of one prefix sort by when they were made.
 *
 * @param random exactly 10 bytes of good randomness; an argument, so that core stays a function of its inputs
 */
export function newId(prefix: string, now: Instant, random: Uint8Array): string {
  requirePrefix(prefix);
  invariant(random.length === RANDOM_BYTES, `newId: random must be ${RANDOM_BYTES} bytes`);
  const milliseconds = divideFloored(now, 1000n);
  invariant(milliseconds >= 0n && milliseconds < 1n << 48n, 'newId: the time must be within 1970 and 10889');
  const randomBits = random.reduce((bits, byte) => (bits << 8n) | BigInt(byte), 0n);
  return `${prefix}_${base32(milliseconds, TIME_LENGTH)}${base32(randomBits, (RANDOM_BYTES * 8) / 5)}`;
}

/**
 * The same parts always give the same id, so that writing a derived row again finds the first one.
 * Parts are delimited by their own quoting: ['a', 'b'] and ['a,b'] differ.
 */
export function derivedId(prefix: string, parts: readonly string[], hash: HashHex): string {
  requirePrefix(prefix);
  const digest = hash(JSON.stringify(parts));
  invariant(digest.length >= DERIVED_LENGTH, 'derivedId: the hash must have at least 128 bits');
  return `${prefix}_${digest.slice(0, DERIVED_LENGTH)}`;
}

function requirePrefix(prefix: string): void {
  invariant(PREFIX.test(prefix), `id prefix "${prefix}" must be 2 to 12 lower-case letters or digits`);
}

function base32(value: bigint, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest >>= 5n)
    text = `${ALPHABET[Number(rest & 31n)] ?? ''}${text}`;
  return text;
}
