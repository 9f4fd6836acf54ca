import { canonicalJsonOfText } from './canonical-json.js';
import type { RawEvent } from './raw-event.js';

/** Lower-case hex digest of a text's UTF-8 bytes. core has no crypto of its own: callers hand one in. */
export type HashHex = (text: string) => string;

/** What makes two events of one stream the same event, for ever. No part can hold a line break (see envelope). */
export function identityKey(source: string, id: string): string {
  return `${source}\n${id}`;
}

/** Column `identity` of the raw tables; SQL computes the same from `source || '\n' || id`. */
export function identityHash(md5: HashHex, source: string, id: string): string {
  return md5(identityKey(source, id));
}

type Content = Pick<RawEvent, 'type' | 'subject' | 'timeMicros' | 'data'>;

/**
 * Column `raw_hash`: equal hashes prove equal content, cheaply and in SQL too. Different ones prove nothing
 * (spaces, key order, 1.0 for 1), so only then are the two canonicalised.
 */
export function rawHash(md5: HashHex, { type, subject, timeMicros, data }: Content): string {
  return md5(`${type}\n${subject}\n${timeMicros.toString()}\n${data}`);
}

/** The content of an event as one canonical text: type, subject, time in UTC microseconds, data. */
export function canonicalContent({ type, subject, timeMicros, data }: Content): string {
  const head = `"subject":${JSON.stringify(subject)},"time":${timeMicros.toString()},"type":${JSON.stringify(type)}`;
  return `{"data":${canonicalJsonOfText(data)},${head}}`;
}

/** Two events of one identity with equal digests are duplicates; with different ones, a conflict. */
export function contentDigest(sha256: HashHex, content: Content): string {
  return sha256(canonicalContent(content));
}
