import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packagePath } from '../../platform/package-path.js';

/** Everything that dbt reads to know what to build. */
const PROJECT = [
  ['transforms', 'dbt_project.yml'],
  ['transforms', 'profiles.yml'],
  ['transforms', 'requirements.lock.txt'],
  ['transforms', 'models'],
  ['transforms', 'macros'],
  ['platform', 'warehouse', 'sql'],
] as const;

/** The part of it that shapes kept facts: their models, the macros and the staging SQL. */
const FACTS = [
  ['transforms', 'models', 'facts'],
  ['transforms', 'macros'],
  ['platform', 'warehouse', 'sql'],
] as const;

/** When it changes, facts kept under the old one can't be trusted and are built anew. */
export function factsDefinitionDigest(): Promise<string> {
  return digestOf(FACTS);
}

/** When it changes, what dbt parsed of the project is worth nothing. */
export function projectDigest(): Promise<string> {
  return digestOf(PROJECT);
}

async function digestOf(places: readonly (readonly string[])[]): Promise<string> {
  const files = (await Promise.all(places.map((parts) => filesAt(packagePath(...parts))))).flat().sort();
  const digest = createHash('sha256');
  for (const file of files)
    digest
      .update(file.slice(packagePath().length))
      .update('\0')
      .update(await readFile(file))
      .update('\0');
  return digest.digest('hex').slice(0, 32);
}

async function filesAt(path: string): Promise<string[]> {
  if (/\.(yml|txt)$/.test(path)) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
