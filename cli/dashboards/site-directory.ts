import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { packagePath } from '../../platform/package-path.js';
import { cacheDirectory } from '../cache-directory.js';

/** What npm and a build leave in the folder: no source of a page. */
const NO_SOURCES = new Set(['node_modules', '.evidence', 'build', '.svelte-kit']);
const HASH_DIGITS = 16;

/**
 * Where the built pages of this version are, or will be. Pages hold no company's data, so all data directories of a user share them;
 * the name follows from the sources, so that pages of another version are never taken for these.
 */
export function siteDirectory(environment: Readonly<Record<string, string | undefined>>): string {
  return join(cacheDirectory(environment), 'dashboards', sourcesHash(packagePath('dashboards')));
}

/** Whether a path of the folder belongs to the sources. */
export const isSource = (path: string): boolean => !NO_SOURCES.has(basename(path));

function sourcesHash(folder: string): string {
  const hash = createHash('sha256');
  for (const path of existsSync(folder) ? sourcesIn(folder) : []) {
    hash.update(`${path}\n`).update(readFileSync(join(folder, path)));
  }
  return hash.digest('hex').slice(0, HASH_DIGITS);
}

function sourcesIn(folder: string, below = ''): string[] {
  return readdirSync(join(folder, below), { withFileTypes: true })
    .filter(({ name }) => isSource(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      return entry.isDirectory() ? sourcesIn(folder, path) : [path];
    });
}
