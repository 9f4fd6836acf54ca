import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { InputError, RefusedError, UnavailableError } from '../core/errors.js';
import type { Stream } from '../core/raw-event.js';
import { formatInstant, type Instant } from '../core/time.js';
import { acquireLock, readHolder, type DirectoryHolder } from './directory-lock.js';
import { endLeftBehind } from './dependent-process.js';
import { writeFileDurably } from './durable-file.js';

/** Raised when an older headgate could no longer read the directory. */
const DISK_FORMAT = 1;

/** Where everything embedded lives. Paths are absolute. */
export interface DataDirectoryLayout {
  readonly root: string;
  readonly lockFile: string;
  /** The version of everything else's layout: {"format": 1}. */
  readonly versionFile: string;
  readonly keysFile: string;
  readonly warehouseFile: string;
  readonly sqlDirectory: string;
  readonly lakeDirectory: string;
  /** The facts that runs keep; only dbt opens it. */
  readonly factsFile: string;
  readonly runsDirectory: string;
  /** Names the program that works for the holder (dbt), while one does. */
  readonly dependentFile: string;
  /** Scratch of this process, emptied when the directory is opened. */
  readonly temporaryDirectory: string;
  runDirectory(runId: string): string;
  marts(runId: string): string;
  runFacts(runId: string, stream: Stream): string;
}

/** A data directory that this process holds. */
export interface DataDirectory extends DataDirectoryLayout {
  /** Tells other processes that this one serves. The token is readable by the directory's owner alone. */
  publishServer(server: { url: string; token: string }): Promise<void>;
  release(): Promise<void>;
}

export function dataDirectoryLayout(directory: string): DataDirectoryLayout {
  const root = resolve(directory);
  const runsDirectory = join(root, 'runs');
  const runDirectory = (runId: string) => join(runsDirectory, runId);
  return {
    root,
    lockFile: join(root, 'lock.json'),
    versionFile: join(root, 'version.json'),
    keysFile: join(root, 'keys.json'),
    warehouseFile: join(root, 'warehouse.duckdb'),
    sqlDirectory: join(root, 'sql'),
    lakeDirectory: join(root, 'lake'),
    factsFile: join(root, 'facts.duckdb'),
    runsDirectory,
    dependentFile: join(root, 'dependent.json'),
    temporaryDirectory: join(root, 'tmp'),
    runDirectory,
    marts: (runId) => join(runDirectory(runId), 'marts.duckdb'),
    runFacts: (runId, stream) => join(runDirectory(runId), 'facts', stream),
  };
}

/** Who holds the directory now, or null. A file left by a process that is gone counts as nobody. */
export function directoryHolder(directory: string): DirectoryHolder | null {
  return readHolder(dataDirectoryLayout(directory).lockFile);
}

/** @throws InputError `not_found` when nobody made a data directory there: a slip in its name must not make an empty one */
export function requireDataDirectory(directory: string): void {
  const { root, versionFile } = dataDirectoryLayout(directory);
  if (existsSync(versionFile)) return;
  throw new InputError(
    'not_found',
    `data directory ${root}: there is none; check --data and HEADGATE_DATA, or make one with: headgate ingest <file> --data ${directory}`,
    { status: 404 },
  );
}

/**
 * Takes the directory for this process, creating it when it isn't there.
 *
 * @param command what this process is, for the error that another one will show
 * @throws RefusedError `data_directory_locked` naming the process that holds it; `data_directory_newer`
 */
export async function openDataDirectory(
  directory: string,
  { command, now }: { command: string; now: Instant },
): Promise<DataDirectory> {
  const layout = dataDirectoryLayout(directory);
  createDirectories(layout);
  const lock = acquireLock(layout.lockFile, { command, since: formatInstant(now) });
  try {
    await checkFormat(layout.versionFile);
    // What a killed holder started may still be writing into what is emptied here.
    await endLeftBehind(layout.dependentFile);
    rmSync(layout.temporaryDirectory, { recursive: true, force: true });
    mkdirSync(layout.temporaryDirectory, { recursive: true });
  } catch (error) {
    await lock.release();
    throw error;
  }
  return {
    ...layout,
    publishServer: (server) => lock.publishServer(server),
    release: () => lock.release(),
  };
}

function createDirectories(layout: DataDirectoryLayout): void {
  try {
    mkdirSync(layout.root, { recursive: true });
    // Events, tokens and keys: for this user alone, whatever the umask.
    chmodSync(layout.root, 0o700);
    for (const path of [layout.lakeDirectory, layout.runsDirectory]) mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new UnavailableError(
      'unavailable',
      `data directory ${layout.root}: cannot be created or written; check the path (is it a file?), its owner and the free space`,
      { cause: error },
    );
  }
}

const Version = z.object({ format: z.int() });

async function checkFormat(versionFile: string): Promise<void> {
  if (!existsSync(versionFile)) {
    await writeFileDurably(versionFile, `${JSON.stringify({ format: DISK_FORMAT })}\n`);
    return;
  }
  const version = Version.safeParse(parseJson(readFileSync(versionFile, 'utf8')));
  if (!version.success) {
    throw new RefusedError(
      'data_directory_corrupt',
      `${versionFile} does not say which format this directory has; restore it from a backup`,
    );
  }
  if (version.data.format > DISK_FORMAT) {
    throw new RefusedError(
      'data_directory_newer',
      `${versionFile}: written by a newer headgate (format ${version.data.format}, this one knows ${DISK_FORMAT}); install that version`,
    );
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
