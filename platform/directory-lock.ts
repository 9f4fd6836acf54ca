import { execFileSync } from 'node:child_process';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';
import { RefusedError } from '../core/errors.js';
import { writeFileDurably } from './durable-file.js';

const Holder = z.object({
  pid: z.int(),
  /** With the pid, names one process for ever: pids are used again, and so a pid alone says nothing. */
  processStart: z.string(),
  host: z.string(),
  command: z.string(),
  since: z.string(),
  /** Set once it serves: other commands go through it. The token is readable by the directory's owner alone. */
  server: z.object({ url: z.string(), token: z.string() }).nullable(),
});

/** A process that holds a data directory, as its lock file tells. */
export type DirectoryHolder = Readonly<z.infer<typeof Holder>>;

export interface DirectoryLock {
  publishServer(server: { url: string; token: string }): Promise<void>;
  release(): Promise<void>;
}

/** Two processes that find the same dead holder may both try; one of them then finds the other's lock. */
const ATTEMPTS = 5;

/**
 * Names this process in `lockFile`, or refuses with the name of the one that is there. A lock whose process is gone
 * (kill -9, power) is taken over. DuckDB's own lock on the warehouse file stands behind this one.
 */
export function acquireLock(
  lockFile: string,
  { command, since }: { command: string; since: string },
): DirectoryLock {
  const mine: DirectoryHolder = {
    pid: process.pid,
    processStart: processStart(process.pid) ?? 'unknown',
    host: hostname(),
    command,
    since,
    server: null,
  };
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (tryCreate(lockFile, mine)) return heldLock(lockFile, mine);
    const text = readText(lockFile);
    if (text === null) continue;
    const holder = parseHolder(text);
    if (holder && isAlive(holder)) throw lockedError(lockFile, holder);
    removeStale(lockFile, text);
  }
  throw new RefusedError(
    'data_directory_locked',
    `${lockFile}: several processes want this directory; try again`,
  );
}

/** The live process that holds the lock, or null. */
export function readHolder(lockFile: string): DirectoryHolder | null {
  const text = readText(lockFile);
  const holder = text === null ? null : parseHolder(text);
  return holder && isAlive(holder) ? holder : null;
}

function heldLock(lockFile: string, mine: DirectoryHolder): DirectoryLock {
  let isHeld = true;
  return {
    publishServer: (server) => writeFileDurably(lockFile, holderText({ ...mine, server })),
    release: () => {
      if (isHeld) rmSync(lockFile, { force: true });
      isHeld = false;
      return Promise.resolve();
    },
  };
}

/** `link` fails when the name exists, and the file is never seen half written. */
function tryCreate(lockFile: string, mine: DirectoryHolder): boolean {
  const draft = `${lockFile}.${mine.pid}`;
  writeFileSync(draft, holderText(mine), { mode: 0o600 });
  try {
    linkSync(draft, lockFile);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Moves the dead lock aside; if a third process was quicker, what was moved is its live lock and goes back. */
function removeStale(lockFile: string, staleText: string): void {
  const aside = `${lockFile}.${process.pid}.stale`;
  try {
    renameSync(lockFile, aside);
    if (readText(aside) !== staleText) linkSync(aside, lockFile);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' && errorCode(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function isAlive(holder: DirectoryHolder): boolean {
  // Another machine's processes (a shared volume) can't be looked at from here: believe the file.
  if (holder.host !== hostname()) return true;
  return processStart(holder.pid) === holder.processStart;
}

/** When the process started, in whatever form the system has it; null when there is no such process. */
export function processStart(pid: number): string | null {
  if (process.platform === 'linux') {
    const status = readText(`/proc/${pid}/stat`);
    if (status === null) return null;
    // The name in parentheses may hold spaces: fields count from behind it. Field 3 is the state, 22 the start.
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    const boot = readText('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
    return `${boot}/${fields[19] ?? ''}`;
  }
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null;
  } catch {
    return null;
  }
}

function lockedError(lockFile: string, holder: DirectoryHolder): RefusedError {
  const serving = holder.server === null ? '' : ` serving ${holder.server.url}`;
  const remedy =
    holder.host === hostname()
      ? 'wait for it, or stop it'
      : `it runs on ${holder.host}; if that machine is gone, delete ${lockFile}`;
  return new RefusedError(
    'data_directory_locked',
    `the data directory is held by process ${holder.pid} (${holder.command}${serving}, since ${holder.since}): ${remedy}`,
    { details: { pid: holder.pid, command: holder.command, since: holder.since } },
  );
}

function holderText(holder: DirectoryHolder): string {
  return `${JSON.stringify(holder, null, 2)}\n`;
}

function parseHolder(text: string): DirectoryHolder | null {
  try {
    const parsed = Holder.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // ENOTDIR: what stands there in place of the directory is a file.
    if (['ENOENT', 'ENOTDIR', 'ESRCH'].includes(errorCode(error) ?? '')) return null;
    throw error;
  }
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
