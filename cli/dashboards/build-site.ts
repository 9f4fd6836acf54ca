import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UnavailableError } from '../../core/errors.js';
import { finishProgram } from '../../platform/finish-program.js';
import { isDiskFull, messageOf } from '../../platform/warehouse/duckdb-errors.js';
import { packagePath } from '../../platform/package-path.js';
import { isSource, siteDirectory } from './site-directory.js';

export interface BuildOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly onProgress: (message: string) => void;
  /** Other work goes first. */
  readonly isBackground?: boolean;
  readonly signal?: AbortSignal;
}

/** What npm and the build may see of our environment: where programs, caches and registries are, nothing of ours. */
const INHERITED =
  /^(PATH|HOME|LANG|LC_ALL|TMPDIR|SSL_CERT_FILE|NODE_EXTRA_CA_CERTS|XDG_CACHE_HOME)$|^npm_config_|^https?_proxy$|^no_proxy$/i;
const LINES_OF_OUTPUT = 8;
const WORK = 'building-';
/** A build takes minutes: what is older was left by one that was killed. */
const LEFT_AFTER_MS = 3_600_000;

/**
 * Builds the pages of this version, unless they are built already. All happens in a folder of its own, which is put in place when it is
 * whole: a build that is killed, or two at once, leave what was there.
 *
 * @throws UnavailableError `disk_full`; `unavailable` when npm or the build fails, with the last lines of what they said
 */
export async function ensureSite(
  options: BuildOptions,
): Promise<{ readonly directory: string; readonly isNew: boolean }> {
  const directory = siteDirectory(options.environment);
  if (existsSync(join(directory, 'index.html'))) return { directory, isNew: false };
  const folder = dirname(directory);
  await mkdir(folder, { recursive: true });
  await removeLeftBehind(folder);
  const work = await mkdtemp(join(folder, WORK));
  try {
    await cp(packagePath('dashboards'), work, { recursive: true, filter: isSource });
    options.onProgress('Installing what builds the pages (once, 600 MB, a minute or two) …');
    await finish(
      'npm',
      ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts'],
      work,
      options,
    );
    options.onProgress('Building the pages (a minute or two) …');
    await finish(process.execPath, ['build.mjs', '--out', 'site'], work, options);
    await putInPlace(join(work, 'site'), directory);
    return { directory, isNew: true };
  } catch (error) {
    throw isDiskFull(messageOf(error)) ? noRoom(folder, error) : error;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const noRoom = (folder: string, cause: unknown): UnavailableError =>
  new UnavailableError(
    'disk_full',
    `the disk of ${folder} is full: pages take 800 MB while they are built, and 60 MB then. Free some space and try again, or set ` +
      'XDG_CACHE_HOME to a folder with more of it',
    { cause },
  );

/** 600 MB of each that was killed. */
async function removeLeftBehind(folder: string): Promise<void> {
  for (const name of (await readdir(folder)).filter((one) => one.startsWith(WORK))) {
    const path = join(folder, name);
    const left = await stat(path).catch(() => null);
    if (left !== null && Date.now() - left.mtimeMs > LEFT_AFTER_MS)
      await rm(path, { recursive: true, force: true });
  }
}

/** Whoever was first is as good: the sources are the same. */
async function putInPlace(built: string, directory: string): Promise<void> {
  try {
    await rename(built, directory);
  } catch (error) {
    if (!existsSync(join(directory, 'index.html'))) throw error;
  }
}

/** @throws UnavailableError with the last lines of what it said */
async function finish(
  command: string,
  args: readonly string[],
  cwd: string,
  { environment, isBackground, signal }: BuildOptions,
): Promise<void> {
  const env = Object.fromEntries(Object.entries(environment).filter(([name]) => INHERITED.test(name)));
  const done = await finishProgram(command, args, { cwd, env, isBackground, signal });
  if (done?.code === 0) return;
  const why =
    done === null
      ? `there is no ${command}; it comes with Node.js`
      : `${[command, ...args.slice(0, 1)].join(' ')} ended with ${done.code ?? 'a signal'}:\n${lastLines(done.output)}`;
  throw new UnavailableError('unavailable', `dashboards: ${why}`);
}

const lastLines = (output: string): string => output.trim().split('\n').slice(-LINES_OF_OUTPUT).join('\n');
