import { spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';

export interface Finished {
  /** Null: a signal ended it. */
  readonly code: number | null;
  /** What it said, on either stream. */
  readonly output: string;
}

export interface ProgramOptions {
  readonly cwd?: string;
  /** All that it sees of the environment; left out, it sees ours. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Others go first. */
  readonly isBackground?: boolean | undefined;
  /** Ends it; the promise is rejected with an AbortError. */
  readonly signal?: AbortSignal | undefined;
}

/** Runs a program to its end; `null` when there is no such program. */
export function finishProgram(
  command: string,
  args: readonly string[],
  { isBackground = false, ...options }: ProgramOptions = {},
): Promise<Finished | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    if (isBackground && child.pid !== undefined)
      setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') resolve(null);
      else reject(error);
    });
    child.on('close', (code) => {
      resolve({ code, output });
    });
  });
}
