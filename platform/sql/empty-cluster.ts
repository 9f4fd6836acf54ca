import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';

const PGLITE = import.meta.resolve('@electric-sql/pglite');
const MAKE_ONE = `
  const [pglite, directory] = process.argv.slice(1);
  const { PGlite } = await import(pglite);
  await (await PGlite.create({ dataDir: directory })).close();`;

export interface Beginnings {
  /** Where the empty cluster is kept. */
  readonly cacheDirectory: string;
  /** On the store's own disk, emptied at every start: whoever is killed leaves no half of a store. */
  readonly temporaryDirectory: string;
}

/**
 * Begins a store as a copy of an empty cluster that is made once for a machine. Making one is work for another program (initdb): it takes
 * seconds and half a GiB, and a copy takes a tenth of a second. Where none can be made or copied (no space, a cache that can't be
 * written) the directory stays away, and PGlite makes one in place.
 */
export async function copyEmptyCluster(
  { cacheDirectory, temporaryDirectory }: Beginnings,
  directory: string,
): Promise<void> {
  const copy = join(temporaryDirectory, 'store');
  try {
    await cp(await emptyCluster(cacheDirectory), copy, { recursive: true });
    await rename(copy, directory);
  } catch {
    await rm(copy, { recursive: true, force: true });
  }
}

async function emptyCluster(cacheDirectory: string): Promise<string> {
  const packageFile = await readFile(new URL('../package.json', PGLITE), 'utf8');
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(packageFile));
  const cluster = join(cacheDirectory, `pglite-${version}`);
  if (existsSync(cluster)) return cluster;
  await mkdir(cacheDirectory, { recursive: true });
  const underWay = await mkdtemp(join(cacheDirectory, `${basename(cluster)}.`));
  try {
    await makeCluster(underWay);
    // Of several that make one at once the first is kept; a rename onto it is refused.
    await rename(underWay, cluster).catch((error: unknown) => {
      if (!existsSync(cluster)) throw error;
    });
    return cluster;
  } finally {
    await rm(underWay, { recursive: true, force: true });
  }
}

/** In a process of its own, whose memory goes with it. */
async function makeCluster(directory: string): Promise<void> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', MAKE_ONE, PGLITE, directory], {
    stdio: 'ignore',
  });
  const [code] = z.tuple([z.number().nullable(), z.unknown()]).parse(await once(child, 'close'));
  if (code !== 0) throw new Error(`initdb ended with ${String(code)}`);
}
