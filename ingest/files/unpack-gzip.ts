import { createGunzip, type Gunzip } from 'node:zlib';
import { InputError } from '../../core/errors.js';

/**
 * Unpacks piece by piece. The stream is left in flowing mode and fed one piece at a time, because a stream that
 * breaks off throws away what it still holds, and what precedes the break must not get lost.
 */
export async function* unpackGzip(
  packed: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<Uint8Array> {
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
