import { open, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { InputError } from '../../core/errors.js';
import { PIECE_BYTES } from './line-chunks.js';
import { packingOf, requireText, SNIFFED_BYTES, type Packing } from './sniff.js';
import { unpackGzip } from './unpack-gzip.js';
import { unpackZstd } from './unpack-zstd.js';

/** gzip can unpack a thousandfold: this bounds what one step holds to about 32 MB. (zstd goes block by block.) */
const PACKED_READ_BYTES = 32 << 10;

const UNPACK: Readonly<Record<Packing, typeof unpackGzip>> = { gzip: unpackGzip, zstd: unpackZstd };

export interface FileBytes {
  readonly name: string;
  /** What its text lines are called where one is named. */
  readonly unit: 'line' | 'row';
  /** Of the file as it lies on disk, for progress. */
  readonly sizeBytes: number;
  /** How far reading has come in the file as it lies on disk. */
  readonly positionBytes: () => number;
  /** The file's bytes, unpacked; each piece is valid until the next is asked for. Packed data that breaks off yields all that precedes, then throws `truncated_file`. */
  readonly pieces: AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Opens a text file, plain or packed with gzip or zstd: its first bytes say which, whatever its name.
 *
 * @throws InputError `file_not_found`, or `unsupported_format` when the bytes are no text, or not what the name says
 */
export async function openFileBytes(path: string): Promise<FileBytes> {
  const name = basename(path);
  const handle = await openForReading(path, name);
  try {
    const { size } = await handle.stat();
    const head = await readHead(handle);
    const packing = packingOf(head, name);
    if (packing === null) requireText(head, name);
    let positionBytes = 0;
    const pieces = readPieces(handle, packing === null ? PIECE_BYTES : PACKED_READ_BYTES, (position) => {
      positionBytes = position;
    });
    return {
      name,
      unit: 'line',
      sizeBytes: size,
      positionBytes: () => positionBytes,
      pieces: packing === null ? pieces : checkedText(UNPACK[packing](pieces, name), name),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The first bytes, as they lie on disk. */
export async function readFileHead(path: string): Promise<Uint8Array> {
  const handle = await openForReading(path, basename(path));
  try {
    return await readHead(handle);
  } finally {
    await handle.close();
  }
}

async function openForReading(path: string, name: string): Promise<FileHandle> {
  try {
    const handle = await open(path, 'r');
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const message =
      reason === 'ENOENT'
        ? `file ${path}: there is no such file`
        : `file ${path}: cannot be read (${reason}); check its permissions`;
    throw new InputError('file_not_found', message, { status: 404, cause: error });
  }
  throw new InputError('invalid_file', `file ${name}: is not a regular file; give a file's path`);
}

async function readHead(handle: FileHandle): Promise<Uint8Array> {
  const head = Buffer.alloc(SNIFFED_BYTES);
  const { bytesRead } = await handle.read(head, 0, SNIFFED_BYTES, 0);
  return head.subarray(0, bytesRead);
}

async function* readPieces(
  handle: FileHandle,
  pieceBytes: number,
  onPosition: (position: number) => void,
): AsyncGenerator<Uint8Array> {
  let position = 0;
  const piece = Buffer.allocUnsafe(pieceBytes);
  for (;;) {
    const { bytesRead } = await handle.read(piece, 0, pieceBytes, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    onPosition(position);
    yield piece.subarray(0, bytesRead);
  }
}

/** The first unpacked bytes are looked at too: a packed tar or ZIP is no text either. */
async function* checkedText(pieces: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const piece of pieces) {
    if (isFirst) requireText(piece.subarray(0, SNIFFED_BYTES), name);
    isFirst = false;
    yield piece;
  }
}
