import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';

/** A command that ended: what a shell would have seen. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** Where relative paths start; a test's own folder, so that no command finds a data directory of somebody's. */
  readonly cwd: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
}

export type Running = ChildProcessByStdio<Writable, Readable, Readable>;

/** Starts the real `headgate`, as `build-commands.ts` built it when the tests began. */
export function startHeadgate(args: readonly string[], options: CommandOptions): Running {
  const commands = process.env['HEADGATE_TEST_COMMANDS'];
  if (commands === undefined) throw new Error('test/global-setup.ts builds the commands, and has not run');
  return startNode([join(commands, 'cli', 'main.js'), ...args], options);
}

/** Starts Node with nothing of this machine's configuration of Headgate. */
export function startNode(args: readonly string[], { cwd, environment = {} }: CommandOptions): Running {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('HEADGATE_'));
  return spawn(process.execPath, [...args], {
    cwd,
    env: { ...Object.fromEntries(inherited), ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** Runs the real `headgate` to its end. */
export async function headgate(args: readonly string[], options: CommandOptions): Promise<Ended> {
  const child = startHeadgate(args, options);
  child.stdin.end(options.input ?? '');
  return ended(child);
}

export async function ended(child: Running): Promise<Ended> {
  const exit = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { code, stdout, stderr };
}

/** What a command wrote as bytes: decoding them as text would bend them. */
export async function bytesFrom(
  args: readonly string[],
  options: CommandOptions,
): Promise<{ readonly code: number | null; readonly bytes: Buffer }> {
  const child = startHeadgate(args, options);
  child.stdin.end();
  const exit = new Promise<number | null>((resolve) => child.on('close', resolve));
  const bytes = await buffer(child.stdout);
  return { code: await exit, bytes };
}

/** Waits until a process has written a line that matches. */
export async function lineFrom(stream: Readable, pattern: RegExp): Promise<RegExpExecArray> {
  let seen = '';
  for await (const piece of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    seen += piece.toString();
    const found = pattern.exec(seen);
    if (found !== null) return found;
  }
  throw new Error(`the process ended without a line like ${pattern.source}; it said: ${seen}`);
}
