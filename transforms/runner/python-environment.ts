import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { RefusedError, UnavailableError } from '../../core/errors.js';
import { finishProgram } from '../../platform/finish-program.js';
import { packagePath } from '../../platform/package-path.js';

/** A Python virtual environment that holds dbt and its adapters, at the versions of the lock file. */
export interface PythonEnvironment {
  readonly dbt: string;
}

export interface PythonEnvironmentOptions {
  /** Where environments are kept, outside the package's own folder: `~/.cache/headgate` or what the config says. */
  readonly cacheDirectory: string;
  /** A Python to use instead of the first suitable `python3` on the path. */
  readonly python?: string;
  readonly onProgress?: (message: string) => void;
}

const OLDEST_PYTHON = [3, 10] as const;

const Probe = z.object({ version: z.tuple([z.number(), z.number(), z.number()]), venv: z.boolean() });
const Pointer = z.object({ directory: z.string() });

const PROBE_SCRIPT = `
import importlib.util, json, sys
venv = all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
print(json.dumps({"version": list(sys.version_info[:3]), "venv": venv}))
`;

function refusePython(found: string): never {
  const oldest = OLDEST_PYTHON.join('.');
  throw new RefusedError(
    'python_missing',
    `transforms need Python ${oldest} or later with its venv module, and ${found}. ` +
      `Install it (Debian, Ubuntu: apt-get install python3 python3-venv; Fedora: dnf install python3; ` +
      `macOS: brew install python), or set HEADGATE_PYTHON to one that has both.`,
  );
}

async function findPython(wanted: string | undefined): Promise<string> {
  const candidates = wanted === undefined ? ['python3', 'python'] : [wanted];
  let found = `none was found (looked for ${candidates.join(', ')})`;
  for (const candidate of candidates) {
    const probed = await finishProgram(candidate, ['-c', PROBE_SCRIPT]);
    if (probed?.code !== 0) continue;
    const { version, venv } = Probe.parse(JSON.parse(probed.output));
    const isRecent =
      version[0] > OLDEST_PYTHON[0] || (version[0] === OLDEST_PYTHON[0] && version[1] >= OLDEST_PYTHON[1]);
    if (isRecent && venv) return candidate;
    found = isRecent
      ? `${candidate} is ${version.join('.')} without venv (Debian, Ubuntu: apt-get install python3-venv)`
      : `${candidate} is ${version.join('.')}`;
  }
  return refusePython(found);
}

async function readPointer(path: string): Promise<string | null> {
  try {
    return Pointer.parse(JSON.parse(await readFile(path, 'utf8'))).directory;
  } catch {
    // Absent or cut off by a killed install: either way there is no finished environment to use.
    return null;
  }
}

/**
 * The environment for the current lock file, made on first use (about half a minute).
 *
 * A new one is built beside the old under a name of its own and named by a pointer file when complete, so that a killed or
 * concurrent install never leaves a half environment in use.
 *
 * @throws RefusedError `python_missing` when there is no suitable Python, UnavailableError when pip fails
 */
export async function ensurePythonEnvironment(options: PythonEnvironmentOptions): Promise<PythonEnvironment> {
  const { lockFile, lock, pointer } = await placeOf(options);
  const known = await knownEnvironment(pointer);
  if (known !== null) return { dbt: join(known, 'bin', 'dbt') };

  const python = await findPython(options.python);
  const directory = join(options.cacheDirectory, `python-${lock}-${randomBytes(4).toString('hex')}`);
  options.onProgress?.('Installing dbt into a Python environment of its own (once, about half a minute) …');
  await mkdir(options.cacheDirectory, { recursive: true });
  await installInto(directory, python, lockFile);
  await writeFile(`${pointer}.${process.pid}`, JSON.stringify({ directory }));
  await rename(`${pointer}.${process.pid}`, pointer);
  return { dbt: join(directory, 'bin', 'dbt') };
}

/** What is there already, without making anything: the environment's folder, or the Python that one could be made with. */
export async function inspectPythonEnvironment(
  options: PythonEnvironmentOptions,
): Promise<{ readonly directory: string } | { readonly directory: null; readonly python: string }> {
  const { pointer } = await placeOf(options);
  const directory = await knownEnvironment(pointer);
  return directory === null ? { directory, python: await findPython(options.python) } : { directory };
}

/** An environment is known by its lock file and by the Python it was asked to use. */
async function placeOf({ cacheDirectory, python }: PythonEnvironmentOptions) {
  const lockFile = packagePath('transforms', 'requirements.lock.txt');
  const lock = createHash('sha256')
    .update(await readFile(lockFile))
    .update(python ?? '')
    .digest('hex')
    .slice(0, 16);
  return { lockFile, lock, pointer: join(cacheDirectory, `python-${lock}.json`) };
}

async function knownEnvironment(pointer: string): Promise<string | null> {
  const known = await readPointer(pointer);
  if (known === null) return null;
  return (await finishProgram(join(known, 'bin', 'python'), ['-c', '']))?.code === 0 ? known : null;
}

async function installInto(directory: string, python: string, lockFile: string): Promise<void> {
  const steps: readonly (readonly [string, readonly string[]])[] = [
    [python, ['-m', 'venv', directory]],
    [
      join(directory, 'bin', 'python'),
      ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--require-hashes', '-r', lockFile],
    ],
  ];
  for (const [command, args] of steps) {
    const done = await finishProgram(command, args);
    if (done?.code === 0) continue;
    await rm(directory, { recursive: true, force: true });
    throw new UnavailableError(
      'unavailable',
      `dbt could not be installed: ${command} ${args.slice(0, 3).join(' ')} … failed. Check the network and disk, then run it again. ` +
        `It said: ${done?.output.trim().split('\n').slice(-3).join(' | ') ?? 'no such program'}`,
    );
  }
}
