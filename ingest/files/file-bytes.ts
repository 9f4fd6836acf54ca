import { open, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { createGunzip, type Gunzip } from 'node:zlib';
import { InputError } from '../../core/errors.js';
import { PIECE_BYTES } from './line-chunks.js';
import { isGzip, requireText, SNIFFED_BYTES } from './sniff.js';

/** gzip can unpack a thousandfold: this bounds what one step holds to about 32 MB. */
const PACKED_READ_BYTES = 32 << 10;

export interface FileBytes {
  readonly name: string;
  /** Of the file as it lies on disk, for progress. */
  readonly sizeBytes: number;
  /** How far reading has come in the file as it lies on disk. */
  readonly positionBytes: () => number;
  /** The file's bytes, unpacked; each piece is valid until the next is asked for. A gzip that breaks off yields all that precedes, then throws `truncated_file`. */
  readonly pieces: AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Opens a text file, plain or .gz.
 *
 * @throws InputError `file_not_found`, or `unsupported_format` when the bytes are not what the name says
 */
export async function openFileBytes(path: string): Promise<FileBytes> {
  const name = basename(path);
  const handle = await openForReading(path, name);
  try {
    const { size } = await handle.stat();
    const head = await readHead(handle);
    const isPacked = name.toLowerCase().endsWith('.gz');
    if (isPacked && !isGzip(head) && head.length > 0) {
      throw new InputError(
        'unsupported_format',
        `file ${name}: its name ends in .gz but it is not gzip data`,
      );
    }
    if (!isPacked) requireText(head, name);
    let positionBytes = 0;
    const plain = readPieces(handle, isPacked ? PACKED_READ_BYTES : PIECE_BYTES, (position) => {
      positionBytes = position;
    });
    return {
      name,
      sizeBytes: size,
      positionBytes: () => positionBytes,
      pieces: isPacked ? checkedText(gunzipPieces(plain, name), name) : plain,
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
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

/** The first unpacked bytes are looked at too: a gzip of a tar or a ZIP is no text either. */
async function* checkedText(pieces: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const piece of pieces) {
    if (isFirst) requireText(piece.subarray(0, SNIFFED_BYTES), name);
    isFirst = false;
    yield piece;
  }
}

/**
 * Unpacks piece by piece. The stream is left in flowing mode and fed one piece at a time, because a stream that
 * breaks off throws away what it still holds, and what precedes the break must not get lost.
 */
async function* gunzipPieces(packed: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: 256 << 10 });
  const unpacked: Uint8Array[] = [];
  gunzip.on('data', (piece: Buffer) => unpacked.push(piece));
  const failure = new Promise<Error>((resolve) => gunzip.once('error', resolve));
  try {
    for await (const piece of packed) {
      const error = await feed(gunzip, piece, failure);
      yield* unpacked.splice(0);
      if (error) throw brokenGzip(name, error);
    }
    const error = await finish(gunzip, failure);
    yield* unpacked.splice(0);
    if (error) throw brokenGzip(name, error);
  } finally {
    gunzip.destroy();
  }
}

function feed(gunzip: Gunzip, piece: Uint8Array, failure: Promise<Error>): Promise<Error | null> {
  const taken = new Promise<null>((resolve) => {
    gunzip.write(piece, (error) => {
      if (!error) resolve(null);
    });
  });
  return Promise.race([taken, failure]);
}

function finish(gunzip: Gunzip, failure: Promise<Error>): Promise<Error | null> {
  const ended = new Promise<null>((resolve) => {
    gunzip.once('end', () => {
      resolve(null);
    });
  });
  gunzip.end();
  return Promise.race([ended, failure]);
}

function brokenGzip(name: string, error: Error): InputError {
  const isCutOff = 'code' in error && error.code === 'Z_BUF_ERROR';
  const what = isCutOff ? 'breaks off before its end' : `is damaged (${error.message})`;
  return new InputError(
    'truncated_file',
    `file ${name}: the gzip data ${what}; whole lines before that point were taken in. ` +
      'Get the file again and ingest it again: nothing will count twice',
    { details: { file: name }, cause: error },
  );
}
