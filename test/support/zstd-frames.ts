/** zstd (RFC 8878) written by hand: blocks that hold their bytes as they are, or one byte many times. */

const MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const BLOCK_BYTES = 128 << 10;

type Block =
  { readonly kind: 'raw'; readonly bytes: Uint8Array } | { readonly kind: 'repeat'; readonly byte: number };

function blockBytes(block: Block, isLast: boolean): Buffer {
  const size = block.kind === 'raw' ? block.bytes.length : BLOCK_BYTES;
  const header = Buffer.alloc(3);
  header.writeUIntLE((size << 3) | (block.kind === 'raw' ? 0 : 2) | (isLast ? 1 : 0), 0, 3);
  return Buffer.concat([header, block.kind === 'raw' ? block.bytes : Buffer.from([block.byte])]);
}

/** A frame without a checksum. */
export function zstdFrame(
  blocks: readonly Block[],
  { windowDescriptor = 0x58, dictionaryId = 0 }: { windowDescriptor?: number; dictionaryId?: number } = {},
): Buffer {
  const header = dictionaryId === 0 ? [0x00, windowDescriptor] : [0x01, windowDescriptor, dictionaryId];
  return Buffer.concat([
    MAGIC,
    Buffer.from(header),
    ...blocks.map((block, index) => blockBytes(block, index === blocks.length - 1)),
  ]);
}

/** Text as zstd, in blocks of so many bytes. */
export function zstdStored(content: string, bytesPerBlock = 10_000): Buffer {
  const bytes = Buffer.from(content);
  const blocks: Block[] = [];
  for (let start = 0; start < bytes.length; start += bytesPerBlock) {
    blocks.push({ kind: 'raw', bytes: bytes.subarray(start, start + bytesPerBlock) });
  }
  return zstdFrame(blocks.length === 0 ? [{ kind: 'raw', bytes: Buffer.alloc(0) }] : blocks);
}

/** What packers with several threads, and seekable files, put between frames. */
export function zstdSkippable(size: number): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(0x184d2a5e, 0);
  header.writeUInt32LE(size, 4);
  return Buffer.concat([header, Buffer.alloc(size, 0xaa)]);
}
