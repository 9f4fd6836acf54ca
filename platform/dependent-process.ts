import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { UnavailableError } from '../core/errors.js';
import { processStart } from './directory-lock.js';

/**
 * A program that works on the data directory for this process, and must not outlive it: after a kill -9 the next process may begin
 * at once, and two writers would ruin what they share.
 *
 * Two things hold this together. The program begins only when a line comes in on its standard input, and its pid stands in
 * `recordFile` before that; it ends by itself when its input is closed, which the system does for a process that was killed. And the
 * next process ends whatever the record names before it touches anything (`endLeftBehind`).
 */
export interface DependentProcess {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Resolves when the program and its output have ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

export interface DependentCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  readonly recordFile: string;
  readonly signal?: AbortSignal | undefined;
}

const LeftBehind = z.object({ pid: z.int(), processStart: z.string() });

/** How long a killed program may take to be gone: it may be inside a write to a slow disk. */
const GONE_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 10;

export function startDependent(command: DependentCommand): DependentProcess {
  const child = spawn(command.command, command.args, {
    cwd: command.workingDirectory,
    env: command.environment,
    stdio: ['pipe', 'pipe', 'pipe'],
    // A process group of its own, so that whatever it starts ends with it, and a Ctrl-C reaches only us, who decide.
    detached: process.platform !== 'win32',
  });
  const stop = (): void => {
    if (child.pid !== undefined) killGroup(child.pid);
  };
  const ended = once(child, 'close').then(([code, signal]: (number | string | null)[]) => {
    command.signal?.removeEventListener('abort', stop);
    rmSync(command.recordFile, { force: true });
    return {
      code: typeof code === 'number' ? code : null,
      signal: typeof signal === 'string' ? signal : null,
    };
  });
  // It may end before it reads its line; its exit code says why, and this write's EPIPE adds nothing.
  child.stdin.on('error', () => undefined);
  command.signal?.addEventListener('abort', stop);
  if (child.pid !== undefined) {
    writeFileSync(
      command.recordFile,
      JSON.stringify({ pid: child.pid, processStart: processStart(child.pid) ?? '' }),
    );
    if (command.signal?.aborted === true) stop();
    else child.stdin.write('go\n');
  }
  return { child, ended };
}

/**
 * Ends the program that a killed process left behind, if it still runs. To be called by whoever holds the directory's lock, before
 * anything else.
 *
 * @throws UnavailableError when it does not end
 */
export async function endLeftBehind(recordFile: string): Promise<void> {
  const left = readRecord(recordFile);
  // A pid is used again by others: only with its start time does it name the process.
  const isRunning = () => left !== null && processStart(left.pid) === left.processStart;
  if (left !== null && isRunning()) {
    killGroup(left.pid);
    for (let waitedMs = 0; isRunning(); waitedMs += LOOK_EVERY_MS) {
      if (waitedMs >= GONE_WITHIN_MS) {
        throw new UnavailableError(
          'unavailable',
          `process ${left.pid}, which a killed headgate left behind, still works on the data directory and does not end; end it, then try again`,
        );
      }
      await delay(LOOK_EVERY_MS);
    }
  }
  rmSync(recordFile, { force: true });
}

function killGroup(pid: number): void {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function readRecord(recordFile: string): z.infer<typeof LeftBehind> | null {
  try {
    return LeftBehind.parse(JSON.parse(readFileSync(recordFile, 'utf8')));
  } catch {
    // Absent, or cut off while it was written: then the program was not told to begin yet.
    return null;
  }
}
