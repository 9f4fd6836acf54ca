import type { ICustomPartitioner } from 'kafkajs';

const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;
const SHIFT = 24;

/**
 * A key's partition, as Java's clients and kafkajs' own default have it, so that a subject's events stand in one partition whoever wrote
 * them. kafkajs' own takes longer for it than the rest of a message takes, and does not say what it chose: this one notes it in the
 * message, from which its position follows.
 */
export const subjectPartitioner: ICustomPartitioner =
  () =>
  ({ message, partitionMetadata }) => {
    message.partition ??= partitionOf(Buffer.from(message.key ?? ''), partitionMetadata.length);
    return message.partition;
  };

export function partitionOf(key: Buffer, partitionCount: number): number {
  return (murmur2(key) & 0x7fffffff) % partitionCount;
}

/** 32-bit MurmurHash2 with Kafka's seed; the result is signed. */
function murmur2(data: Buffer): number {
  const tail = data.length & ~3;
  let hash = SEED ^ data.length;
  for (let at = 0; at < tail; at += 4) {
    let word = Math.imul(data.readInt32LE(at), MULTIPLIER);
    word = Math.imul(word ^ (word >>> SHIFT), MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ word;
  }
  const left = data.length - tail;
  if (left > 2) hash ^= data.readUInt8(tail + 2) << 16;
  if (left > 1) hash ^= data.readUInt8(tail + 1) << 8;
  if (left > 0) hash = Math.imul(hash ^ data.readUInt8(tail), MULTIPLIER);
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return hash ^ (hash >>> 15);
}
