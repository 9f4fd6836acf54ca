import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { packagePath } from '../platform/package-path.js';

const Package = z.object({ version: z.string() });

/** Which code this is: the package's version, and in a checkout its commit. Every run is stamped with it. */
export function codeRevision(): string {
  const { version } = Package.parse(JSON.parse(readFileSync(packagePath('package.json'), 'utf8')));
  // An installed package has no history, and what git would find around it is somebody else's.
  if (!existsSync(packagePath('.git'))) return version;
  try {
    const commit = execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], {
      cwd: packagePath(),
      stdio: ['ignore', 'pipe', 'ignore'],
      encoding: 'utf8',
    });
    return `${version}+${commit.trim()}`;
  } catch {
    return version;
  }
}
