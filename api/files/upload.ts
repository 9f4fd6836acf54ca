import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { HeadgateError, UnavailableError } from '../../core/errors.js';

interface Upload {
  readonly path: string;
  readonly mappingPath: string | null;
}

/**
 * Puts what streams in where the engine can read it, under its own name, for as long as `work` takes. The engine reads bytes many
 * times faster than they could be handed to it, so nothing is gained by starting before the last one is there.
 *
 * @throws UnavailableError `disk_full` when it does not fit; then nothing was taken in
 */
export async function withUpload<Result>(
  temporaryDirectory: string,
  pieces: AsyncIterable<Uint8Array>,
  { name, mapping }: { name: string; mapping?: string | undefined },
  work: (upload: Upload) => Promise<Result>,
): Promise<Result> {
  const directory = await mkdtemp(join(temporaryDirectory, 'upload-'));
  try {
    const path = join(directory, name);
    const mappingPath = mapping === undefined ? null : join(directory, 'mapping.yaml');
    await store(pieces, path);
    if (mappingPath !== null && mapping !== undefined) await writeFile(mappingPath, mapping);
    return await work({ path, mappingPath });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function store(pieces: AsyncIterable<Uint8Array>, path: string): Promise<void> {
  try {
    await pipeline(pieces, createWriteStream(path, { mode: 0o600 }));
  } catch (error) {
    if (error instanceof HeadgateError) throw error;
    const isFull =
      error instanceof Error && 'code' in error && ['ENOSPC', 'EFBIG', 'EDQUOT'].includes(String(error.code));
    if (!isFull) throw error;
    throw new UnavailableError(
      'disk_full',
      'the disk is full: nothing of the file was taken in; make room and send it again',
      {
        status: 507,
        cause: error,
      },
    );
  }
}
