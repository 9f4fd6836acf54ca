import { identityKey, type HashHex } from './identity.js';

/** Where the last 64 bits of an MD5 begin in its hexadecimal digits. */
const LAST_EIGHT_BYTES = 16;

/** What stands for a set of events, whatever their order: equal sets have equal digests, and one event more or less another. */
export function eventSetDigest(
  events: readonly { readonly source: string; readonly eventId: string }[],
  md5: HashHex,
): string {
  return events
    .reduce((sum, { source, eventId }) => sum + lastEightBytes(md5(identityKey(source, eventId))), 0n)
    .toString();
}

/** As an integer whose first byte is the lowest, as both engines read them. */
function lastEightBytes(hex: string): bigint {
  const bytes = hex.slice(LAST_EIGHT_BYTES).match(/../g) ?? [];
  return BigInt(`0x${bytes.reverse().join('')}`);
}
