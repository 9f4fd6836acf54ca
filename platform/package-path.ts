import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function findRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  // From source this file is <root>/platform; compiled it is <root>/dist/platform.
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  return directory;
}

const root = findRoot();

/** A file that ships with the package (the dbt project, migrations, lock files), from source and compiled alike. */
export function packagePath(...parts: readonly string[]): string {
  return join(root, ...parts);
}
