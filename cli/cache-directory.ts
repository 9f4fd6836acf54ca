import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where Python environments are kept, shared by all data directories of a user. */
export function cacheDirectory(environment: Readonly<Record<string, string | undefined>>): string {
  return join(environment['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'headgate');
}
