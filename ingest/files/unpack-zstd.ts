import { InputError } from '../../core/errors.js';
import { ByteReader } from './byte-reader.js';
import { frameKind, readBlock, readFrameHeader, type FrameHeader } from './zstd-frame.js';
import { ZstdThread } from './zstd-thread.js';

/** What `zstd -d` takes without being asked for more. Levels up to 19 need 8 MiB. */
const WINDOW_LIMIT_MIB = 128;
/** Each may unpack to 128 KiB: a megabyte at most is on its way. */
const BLOCKS_AT_A_TIME = 8;
const CHECKSUM_BYTES = 4;

/**
 * Unpacks zstd some blocks at a time, so that no file, however well it packs, takes more memory than its window and a
 * little. Where frames and blocks end is read here: the decoder does not tell an end from a break.
 *
 * @throws InputError `truncated_file` when it breaks off or is damaged, after all that precedes was yielded;
 *   `unsupported_format` when it needs what can't be had here (a dictionary, a very large window)
 */
export async function* unpackZstd(
  packed: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<Uint8Array> {
  const reader = new ByteReader(packed, () => brokenZstd(name, 'breaks off before its end'));
  const thread = new ZstdThread();
  try {
    while (!(await reader.isAtEnd())) {
      const magic = await reader.take(4);
      const kind = frameKind(magic);
      if (kind === 'none') throw damaged(name, 'between its frames stands something that is none');
      if (kind === 'content') yield* unpackFrame(reader, magic, thread, name);
      else await reader.skip((await reader.take(4)).readUInt32LE());
    }
  } finally {
    await thread.close();
  }
}

async function* unpackFrame(
  reader: ByteReader,
  magic: Uint8Array,
  thread: ZstdThread,
  name: string,
): AsyncGenerator<Uint8Array> {
  const header = await readFrameHeader(reader, magic);
  if (header === null) throw damaged(name, 'a frame begins with bits that mean nothing');
  requireAffordable(header, name);
  const blocks: Uint8Array[] = [header.bytes];
  try {
    for (let isLast = false; !isLast;) {
      const block = await readBlock(reader);
      if (block === null) throw damaged(name, 'a block begins with bits that mean nothing');
      if (blocks.length >= BLOCKS_AT_A_TIME) yield* decode(thread, blocks.splice(0), false, name);
      blocks.push(block.bytes);
      isLast = block.isLast;
    }
    if (header.hasChecksum) blocks.push(await reader.take(CHECKSUM_BYTES));
  } catch (error) {
    // Whole blocks before the break are whole still.
    yield* decode(thread, blocks, false, name);
    throw error;
  }
  yield* decode(thread, blocks, true, name);
}

async function* decode(
  thread: ZstdThread,
  blocks: readonly Uint8Array[],
  isLast: boolean,
  name: string,
): AsyncGenerator<Uint8Array> {
  const { unpacked, fault } = await thread.decode(blocks, isLast);
  if (unpacked.length > 0) yield Buffer.concat(unpacked);
  if (fault !== null) throw damaged(name, fault);
}

function requireAffordable({ windowBytes, needsDictionary }: FrameHeader, name: string): void {
  const windowMib = Math.ceil(windowBytes / (1 << 20));
  if (!needsDictionary && windowMib <= WINDOW_LIMIT_MIB) return;
  throw new InputError(
    'unsupported_format',
    needsDictionary
      ? `file ${name}: the zstd data needs a dictionary that is not here; pack it without -D`
      : `file ${name}: the zstd data needs a window of ${windowMib} MiB, and ${WINDOW_LIMIT_MIB} is the most; ` +
          'pack it without --long, or with --long=27',
    { details: { file: name } },
  );
}

function damaged(name: string, what: string): InputError {
  return brokenZstd(name, `is damaged (${what})`);
}

function brokenZstd(name: string, what: string): InputError {
  return new InputError(
    'truncated_file',
    `file ${name}: the zstd data ${what}; whole lines before that point were taken in. ` +
      'Get the file again and ingest it again: nothing will count twice',
    { details: { file: name } },
  );
}
