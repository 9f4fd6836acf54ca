import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream, mkdirSync, rmSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { constants, createBrotliCompress, createBrotliDecompress } from 'node:zlib';

/** A store holds three copies of its empty database: only a window as large as that sees them as one. */
const SMALLEST = {
  params: {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
  },
};

/** A directory as one file, as it is. */
export async function packDirectory(directory: string, archive: string): Promise<void> {
  const tar = spawn('tar', ['-C', directory, '-cf', '-', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  await pipeline(tar.stdout, createBrotliCompress(SMALLEST), createWriteStream(archive));
}

export async function unpackDirectory(archive: string, directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  // Through a file: tar stops reading at the archive's end mark, and a pipe that still has padding to write would break.
  const unpacked = `${directory}.tar`;
  await pipeline(createReadStream(archive), createBrotliDecompress(), createWriteStream(unpacked));
  const tar = spawn('tar', ['-C', directory, '-xf', unpacked], { stdio: 'inherit' });
  await once(tar, 'close');
  rmSync(unpacked);
}
