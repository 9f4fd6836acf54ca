import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheDirectory } from '../../cli/cache-directory.js';

/** Where a service of tests is kept for all clones of this machine, under a name that says which version it is. */
export function installedAt(name: string): string {
  return join(cacheDirectory(process.env), name);
}

/** Fills a folder once. It gets its name when all is there, so one that was cut off never counts. */
export async function installOnce(
  directory: string,
  fill: (unfinished: string) => Promise<unknown>,
): Promise<void> {
  if (existsSync(directory)) return;
  mkdirSync(dirname(directory), { recursive: true });
  const unfinished = mkdtempSync(`${directory}-`);
  try {
    await fill(unfinished);
    renameSync(unfinished, directory);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Two that install at once: the second finds the name taken, by the same.
    if (!existsSync(directory)) throw error;
  }
}
