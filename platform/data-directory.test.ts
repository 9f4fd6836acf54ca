import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { directoryHolder, openDataDirectory } from './data-directory.js';

const HOLDER = new URL('./data-directory.killed.ts', import.meta.url);
const me = { command: 'headgate transform', now: 1_767_225_600_000_000n };

let parent: string;
let root: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'headgate-directory-'));
  root = join(parent, 'data');
});
afterEach(() => {
  rmSync(parent, { recursive: true });
});

function startHolder() {
  return fork(HOLDER, [root], { execArgv: ['--import', 'tsx'] });
}

test('the directory is made at first use, for its owner alone, and can be taken again after release', async () => {
  for (let times = 0; times < 2; times += 1) {
    const directory = await openDataDirectory(root, me);
    expect(statSync(root).mode & 0o777).toBe(0o700);
    expect(existsSync(directory.lakeDirectory)).toBe(true);
    await directory.release();
    expect(existsSync(directory.lockFile)).toBe(false);
  }
});

test('while one process holds it another is refused, and told which one, what it is and since when', async () => {
  const directory = await openDataDirectory(root, me);
  await directory.publishServer({ url: 'http://127.0.0.1:1', token: 'hg_local' });
  await expect(openDataDirectory(root, me)).rejects.toMatchObject({
    code: 'data_directory_locked',
    message: `the data directory is held by process ${process.pid} (headgate transform serving http://127.0.0.1:1, since 2026-01-01T00:00:00Z): wait for it, or stop it`,
  });
  expect(statSync(directory.lockFile).mode & 0o777).toBe(0o600);
  await directory.release();
});

test('a process killed with -9 holds nothing, and its server is no longer offered', async () => {
  const holder = startHolder();
  expect(await once(holder, 'message')).toEqual(['held', undefined]);
  expect(directoryHolder(root)).toMatchObject({
    pid: holder.pid,
    server: { url: 'http://127.0.0.1:8471', token: 'hg_local' },
  });
  await expect(openDataDirectory(root, me)).rejects.toMatchObject({ details: { pid: holder.pid } });
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  expect(directoryHolder(root)).toBeNull();
  await (await openDataDirectory(root, me)).release();
});

test('of several processes that find a dead one there, exactly one takes over', async () => {
  mkdirSync(root);
  writeLock({ pid: process.pid, processStart: 'another start', host: hostname() });
  const contenders = [startHolder(), startHolder(), startHolder()];
  // The refused ones end by themselves, perhaps before the last has answered.
  const gone = contenders.map((contender) => new Promise((resolve) => contender.once('close', resolve)));
  const outcomes = await Promise.all(
    contenders.map(async (contender) => {
      const [message] = (await once(contender, 'message')) as [unknown];
      return message;
    }),
  );
  for (const contender of contenders) contender.kill('SIGKILL');
  await Promise.all(gone);
  expect(outcomes.sort()).toEqual(['held', 'refused', 'refused']);
});

test('a reused pid is not the process that took the lock', async () => {
  mkdirSync(root);
  writeLock({ pid: process.pid, processStart: 'another start', host: hostname() });
  expect(directoryHolder(root)).toBeNull();
  await (await openDataDirectory(root, me)).release();
});

test('a lock of another machine is believed, and the message says what to do', async () => {
  mkdirSync(root);
  writeLock({ pid: 1, processStart: 'x', host: 'elsewhere' });
  await expect(openDataDirectory(root, me)).rejects.toThrow(
    /it runs on elsewhere; if that machine is gone, delete/,
  );
});

test('half a lock file, as a power cut may leave, is nobody', async () => {
  mkdirSync(root);
  writeFileSync(join(root, 'lock.json'), '{"pid": 12');
  await (await openDataDirectory(root, me)).release();
});

test('a directory of a newer version is refused and left alone', async () => {
  mkdirSync(root);
  writeFileSync(join(root, 'version.json'), '{"format": 2}');
  await expect(openDataDirectory(root, me)).rejects.toMatchObject({ code: 'data_directory_newer' });
  expect(readFileSync(join(root, 'version.json'), 'utf8')).toBe('{"format": 2}');
  expect(directoryHolder(root)).toBeNull();
});

test('a damaged version file is an error, not a new directory', async () => {
  mkdirSync(root);
  writeFileSync(join(root, 'version.json'), '');
  await expect(openDataDirectory(root, me)).rejects.toMatchObject({ code: 'data_directory_corrupt' });
});

test('what a killed process left in the scratch directory is gone', async () => {
  const first = await openDataDirectory(root, me);
  writeFileSync(join(first.temporaryDirectory, 'left'), 'x');
  await first.release();
  const second = await openDataDirectory(root, me);
  expect(existsSync(join(second.temporaryDirectory, 'left'))).toBe(false);
  await second.release();
});

test('a path that cannot be a directory is named', async () => {
  writeFileSync(root, 'a file');
  await expect(openDataDirectory(root, me)).rejects.toThrow(
    /data directory .*data: cannot be created or written/,
  );
});

function writeLock(holder: { pid: number; processStart: string; host: string }): void {
  const lock = { ...holder, command: 'headgate serve', since: '2026-01-01T00:00:00Z', server: null };
  writeFileSync(join(root, 'lock.json'), JSON.stringify(lock));
}
