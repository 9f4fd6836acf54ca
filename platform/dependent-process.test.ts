import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { endLeftBehind, startDependent } from './dependent-process.js';
import { processStart } from './directory-lock.js';

const PARENT = new URL('./dependent-process.killed.ts', import.meta.url);

let root: string;
let recordFile: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'headgate-dependent-'));
  recordFile = join(root, 'dependent.json');
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

function start(script: string, signal?: AbortSignal) {
  return startDependent({
    command: 'sh',
    args: ['-c', script],
    environment: process.env,
    workingDirectory: root,
    recordFile,
    signal,
  });
}

async function firstLine(output: NodeJS.ReadableStream): Promise<string> {
  const [line] = (await once(createInterface({ input: output }), 'line')) as [string];
  return line;
}

test('it is told to begin when its pid is written down, and its end takes the record away', async () => {
  const { child, ended } = start(`read word; echo "$word $(cat ${recordFile})"; read word; exit 3`);
  expect(await firstLine(child.stdout)).toBe(
    `go {"pid":${child.pid},"processStart":"${processStart(child.pid ?? 0)}"}`,
  );
  child.stdin.end();
  expect(await ended).toEqual({ code: 3, signal: null });
  expect(existsSync(recordFile)).toBe(false);
});

test('stopping it ends what it started as well', async () => {
  const stop = new AbortController();
  const { child, ended } = start('read word; sleep 600 & echo $!; wait', stop.signal);
  const grandchild = Number(await firstLine(child.stdout));
  expect(processStart(grandchild)).not.toBeNull();
  stop.abort();
  expect(await ended).toEqual({ code: null, signal: 'SIGKILL' });
  // Its output is closed only when the last process that has it is gone.
  expect(processStart(grandchild)).toBeNull();
});

test('stopped before it began, it never begins', async () => {
  const { ended } = start('read word; echo begun', AbortSignal.abort());
  expect((await ended).signal).toBe('SIGKILL');
});

test('a program that is not there is an error', async () => {
  const { ended } = startDependent({
    command: join(root, 'nothing'),
    args: [],
    environment: {},
    workingDirectory: root,
    recordFile,
  });
  await expect(ended).rejects.toThrow(/ENOENT/);
});

test('what a process killed with -9 left behind is ended by the next one before it goes on', async () => {
  const parent = fork(PARENT, [root, recordFile], { execArgv: ['--import', 'tsx'] });
  const [pid] = (await once(parent, 'message')) as [number];
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  // This one does not look at its input, so nothing but the record can end it.
  expect(processStart(pid)).not.toBeNull();
  await endLeftBehind(recordFile);
  expect(processStart(pid)).toBeNull();
  expect(existsSync(recordFile)).toBe(false);
});

test('a process that only has the same pid is left alone', async () => {
  const other = spawn('sleep', ['600']);
  writeFileSync(recordFile, JSON.stringify({ pid: other.pid, processStart: 'another start' }));
  await endLeftBehind(recordFile);
  expect(processStart(other.pid ?? 0)).not.toBeNull();
  other.kill('SIGKILL');
});

test.each(['', '{"pid": 12', '[]'])('half a record (%j) is nobody, and goes', async (text) => {
  writeFileSync(recordFile, text);
  expect(readFileSync(recordFile, 'utf8')).toBe(text);
  await endLeftBehind(recordFile);
  expect(existsSync(recordFile)).toBe(false);
});
