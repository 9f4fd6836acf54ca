import type { ByteReader } from './byte-reader.js';

/** RFC 8878, 3.1.1: what stands before a frame's blocks. */
export interface FrameHeader {
  /** As it lies in the file, with the magic number. */
  readonly bytes: Uint8Array;
  /** How far back a block may refer: what a decoder must hold. */
  readonly windowBytes: number;
  /** Null when the packer did not know it beforehand. */
  readonly contentBytes: bigint | null;
  readonly hasChecksum: boolean;
  readonly needsDictionary: boolean;
}

export interface Block {
  /** As it lies in the file, with its own header. */
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

const MAGIC = 0xfd2fb528;
/** Frames that hold something for others: sixteen numbers, and a length. */
const SKIPPABLE_MAGIC = 0x184d2a50;
const BLOCK_LIMIT_BYTES = 128 << 10;
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;

export type FrameKind = 'content' | 'skippable' | 'none';

/** What the four bytes of a frame's beginning say that it is. */
export function frameKind(magic: Uint8Array): FrameKind {
  if (magic.length < 4) return 'none';
  const number = Buffer.from(magic.buffer, magic.byteOffset, 4).readUInt32LE();
  if (number === MAGIC) return 'content';
  return (number & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC ? 'skippable' : 'none';
}

/** @returns null when its bits are none that the format knows */
export async function readFrameHeader(reader: ByteReader, magic: Uint8Array): Promise<FrameHeader | null> {
  const first = await reader.take(1);
  const descriptor = first.readUInt8();
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const isReserved = (descriptor & 0x08) !== 0;
  if (isReserved) return null;
  const window = await reader.take(isSingleSegment ? 0 : 1);
  const dictionary = await reader.take(DICTIONARY_ID_BYTES[descriptor & 3] ?? 0);
  const size = await reader.take(contentSizeBytes(descriptor >> 6, isSingleSegment));
  const contentBytes = contentSize(size);
  return {
    bytes: Buffer.concat([magic, first, window, dictionary, size]),
    windowBytes: isSingleSegment ? Number(contentBytes ?? 0n) : windowSize(window.readUInt8()),
    contentBytes,
    hasChecksum: (descriptor & 0x04) !== 0,
    needsDictionary: dictionary.some((byte) => byte !== 0),
  };
}

/** @returns null when it is none that the format knows */
export async function readBlock(reader: ByteReader): Promise<Block | null> {
  const header = await reader.take(3);
  const bits = header.readUIntLE(0, 3);
  const kind = (bits >> 1) & 3;
  const size = bits >> 3;
  if (kind === RESERVED_BLOCK || size > BLOCK_LIMIT_BYTES) return null;
  const content = await reader.take(kind === RLE_BLOCK ? 1 : size);
  return { bytes: Buffer.concat([header, content]), isLast: (bits & 1) === 1 };
}

function contentSizeBytes(flag: number, isSingleSegment: boolean): number {
  return flag === 0 ? (isSingleSegment ? 1 : 0) : 1 << flag;
}

function contentSize(bytes: Buffer): bigint | null {
  if (bytes.length === 0) return null;
  if (bytes.length === 8) return bytes.readBigUInt64LE();
  // Two bytes start counting where one ends.
  return BigInt(bytes.readUIntLE(0, bytes.length) + (bytes.length === 2 ? 256 : 0));
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}
