import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packagePath } from '../../platform/package-path.js';

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/**
 * A digest of everything that shapes kept facts: their models, the macros and the staging SQL. When it changes, facts kept under
 * the old one can't be trusted and are built anew.
 */
export async function factsDefinitionDigest(): Promise<string> {
  const folders = [
    packagePath('transforms', 'models', 'facts'),
    packagePath('transforms', 'macros'),
    packagePath('platform', 'warehouse', 'sql'),
  ];
  const files = (await Promise.all(folders.map(filesBelow))).flat().sort();
  const digest = createHash('sha256');
  for (const file of files)
    digest
      .update(file.slice(packagePath().length))
      .update('\0')
      .update(await readFile(file))
      .update('\0');
  return digest.digest('hex').slice(0, 32);
}
