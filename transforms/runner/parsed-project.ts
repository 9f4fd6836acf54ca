import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packagePath } from '../../platform/package-path.js';
import { projectDigest } from './definition-digest.js';

/** dbt's own name for it, below its target path. */
const PARSED = 'partial_parse.msgpack';
const KEPT_IN_CACHE = 6;

export interface ParsedProjectPlace {
  /** dbt's target path in this data directory. */
  readonly targetPath: string;
  /** Shared by all data directories of a user; not being able to write there costs time, nothing else. */
  readonly cacheDirectory: string;
  /** Differs wherever dbt would parse anew: the target and the paths of the profile. */
  readonly variant: string;
}

/**
 * What dbt parsed of the project, kept between runs and between data directories: parsing it costs seconds, more than a small company's
 * build. dbt trusts a file's modification time, and an installed package's files all have the same one, so what was parsed of another
 * project is taken away here.
 *
 * @returns to be called after a run that went well: offers what it parsed to other data directories
 */
export async function prepareParsedProject(place: ParsedProjectPlace): Promise<() => Promise<void>> {
  const digest = createHash('sha256')
    .update(await projectDigest())
    .update(packagePath())
    .update(place.variant)
    .digest('hex')
    .slice(0, 24);
  const parsed = join(place.targetPath, PARSED);
  const stamp = join(place.targetPath, 'parsed-from.txt');
  const shared = join(place.cacheDirectory, `parsed-${digest}.msgpack`);
  await mkdir(place.targetPath, { recursive: true });
  if (!existsSync(stamp) || (await readFile(stamp, 'utf8')) !== digest) {
    await rm(parsed, { force: true });
    if (existsSync(shared)) await copyFile(shared, parsed).catch(() => undefined);
    await writeFile(stamp, digest);
  }
  return async () => {
    if (!existsSync(shared)) await share(parsed, shared, place.cacheDirectory).catch(() => undefined);
  };
}

/** Appears whole or not at all, as others may be looking for it. */
async function share(parsed: string, shared: string, cacheDirectory: string): Promise<void> {
  const draft = `${shared}.${randomBytes(4).toString('hex')}.tmp`;
  await mkdir(cacheDirectory, { recursive: true });
  await copyFile(parsed, draft);
  await rename(draft, shared);
  await removeOldest(cacheDirectory);
}

/** Every version of the project leaves one. */
async function removeOldest(cacheDirectory: string): Promise<void> {
  const names = (await readdir(cacheDirectory)).filter((name) => /^parsed-[0-9a-f]+\.msgpack/.test(name));
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(cacheDirectory, name);
      return { path, writtenMs: (await stat(path)).mtimeMs };
    }),
  );
  files.sort((a, b) => b.writtenMs - a.writtenMs);
  for (const { path } of files.slice(KEPT_IN_CACHE)) await rm(path, { force: true });
}
