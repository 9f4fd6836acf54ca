import { existsSync, statfsSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { HeadgateError } from '../../core/errors.js';
import type { Config } from '../../platform/config.js';
import { dataDirectoryLayout, directoryHolder } from '../../platform/data-directory.js';
import { inspectPythonEnvironment } from '../../transforms/runner/python-environment.js';
import { check, type Check } from './check.js';

// What can be seen from any process, whoever holds the data directory.

const MIB = 1024 * 1024;
/** A transform writes its marts and DuckDB its temporary files: below this it is likely to fail half-way. */
const LITTLE_SPACE_MIB = 1024;
const NO_SPACE_MIB = 64;

export function nodeCheck(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isRecent = major > 20 || (major === 20 && minor >= 19);
  return check('node', {
    state: isRecent ? 'well' : 'broken',
    configured: '20.19 or later',
    version: process.versions.node,
    says: isRecent ? 'fine' : 'too old',
    advice: isRecent ? null : 'install Node.js 20.19 or later',
  });
}

export function directoryCheck(config: Config): Check {
  const layout = dataDirectoryLayout(config.dataDirectory);
  const configured = layout.root;
  if (!existsSync(layout.versionFile)) {
    return check('data directory', {
      state: 'attention',
      configured,
      says: 'not there yet',
      advice: 'headgate demo fills one with a simulated company; headgate ingest makes one for yours',
    });
  }
  const holder = directoryHolder(config.dataDirectory);
  if (holder === null) return check('data directory', { configured, says: 'free: no process holds it' });
  const serving = holder.server === null ? '' : ` and serves ${holder.server.url}`;
  return check('data directory', {
    configured,
    says: `held by process ${holder.pid} (${holder.command}) since ${holder.since}${serving}`,
  });
}

export function diskCheck(config: Config): Check {
  const root = resolve(config.dataDirectory);
  const { bavail, bsize, blocks } = statfsSync(existing(root));
  const freeMib = Math.floor((bavail * bsize) / MIB);
  const share = blocks === 0 ? 100 : Math.floor((bavail * 100) / blocks);
  const state = freeMib < NO_SPACE_MIB ? 'broken' : freeMib < LITTLE_SPACE_MIB ? 'attention' : 'well';
  return check('disk', {
    state,
    configured: root,
    says: `${freeMib.toLocaleString('en-US')} MiB free (${share}%)`,
    advice: state === 'well' ? null : 'make room: a transform needs about as much as the lake holds',
  });
}

/** The nearest folder above that is there. */
function existing(path: string): string {
  return existsSync(path) ? path : existing(dirname(path));
}

/** Keys and the lock's token open everything: they are for their owner's eyes alone. */
export function secretsCheck(config: Config): Check | null {
  const { root, keysFile, lockFile } = dataDirectoryLayout(config.dataDirectory);
  const files = [keysFile, lockFile].filter((file) => existsSync(file));
  if (files.length === 0) return null;
  const open = [root, ...files].filter((file) => (statSync(file).mode & 0o077) !== 0);
  return check('key files', {
    state: open.length === 0 ? 'well' : 'broken',
    configured: 'readable by their owner alone',
    says: open.length === 0 ? 'they are' : `others can read ${open.join(', ')}`,
    advice: open.length === 0 ? null : `chmod go= ${open.join(' ')}`,
  });
}

export async function pythonCheck(config: Config, cacheDirectory: string): Promise<Check> {
  const configured = config.python ?? 'python3 of the path';
  try {
    const found = await inspectPythonEnvironment({
      cacheDirectory,
      ...(config.python === null ? {} : { python: config.python }),
    });
    if (found.directory !== null) {
      return check('dbt', {
        configured,
        version: await dbtVersion(found.directory),
        says: `installed in ${found.directory}`,
      });
    }
    return check('dbt', {
      state: 'attention',
      configured,
      says: `not installed yet; ${found.python} can be used for it`,
      advice: 'the first headgate transform installs it (about half a minute, once)',
    });
  } catch (error) {
    if (!(error instanceof HeadgateError)) throw error;
    return check('dbt', { state: 'broken', configured, says: 'cannot be installed', advice: error.message });
  }
}

/** From the folder of its installed metadata: asking dbt itself takes seconds. */
async function dbtVersion(directory: string): Promise<string | null> {
  const library = join(directory, 'lib');
  const [python] = (await readdir(library)).filter((name) => name.startsWith('python'));
  const packages = await readdir(join(library, python ?? '', 'site-packages'));
  const found = packages.map((name) => /^dbt_core-(.+)\.dist-info$/.exec(name)?.[1]);
  return found.find((version) => version !== undefined) ?? null;
}
