import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where what all data directories of a user share is kept: Python environments, an empty store. */
export function cacheDirectory(environment: Readonly<Record<string, string | undefined>>): string {
  return join(environment['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'headgate');
}
