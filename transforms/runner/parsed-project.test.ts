import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { prepareParsedProject } from './parsed-project.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'headgate-parsed-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const targetPath = (name: string): string => join(root, name, 'target');
const parsed = (name: string): string => join(targetPath(name), 'partial_parse.msgpack');
const prepare = (name: string, variant = 'current') =>
  prepareParsedProject({ targetPath: targetPath(name), cacheDirectory: join(root, 'cache'), variant });

test('what one data directory parsed, another starts with', async () => {
  const offer = await prepare('first');
  expect(existsSync(parsed('first'))).toBe(false);
  writeFileSync(parsed('first'), 'parsed');
  await offer();
  await prepare('second');
  expect(readFileSync(parsed('second'), 'utf8')).toBe('parsed');
});

test('between two runs of one directory it stays as dbt left it', async () => {
  await (
    await prepare('first')
  )();
  writeFileSync(parsed('first'), 'newer');
  await prepare('first');
  expect(readFileSync(parsed('first'), 'utf8')).toBe('newer');
});

test('what was parsed of another project, or with other paths, is taken away', async () => {
  mkdirSync(targetPath('first'), { recursive: true });
  writeFileSync(parsed('first'), 'of an older version');
  await prepare('first');
  expect(existsSync(parsed('first'))).toBe(false);
  const offer = await prepare('first');
  writeFileSync(parsed('first'), 'current');
  await offer();
  await prepare('first', 'historical');
  expect(existsSync(parsed('first'))).toBe(false);
});

test('a cache that cannot be written costs time only', async () => {
  writeFileSync(join(root, 'cache'), 'a file where the folder should be');
  const offer = await prepare('first');
  writeFileSync(parsed('first'), 'parsed');
  await offer();
  expect(readFileSync(parsed('first'), 'utf8')).toBe('parsed');
});

test('versions that nobody runs any more do not pile up', async () => {
  for (let version = 0; version < 9; version += 1) {
    const offer = await prepare(`d${version}`, `variant ${version}`);
    writeFileSync(parsed(`d${version}`), 'parsed');
    await offer();
  }
  expect(readdirSync(join(root, 'cache'))).toHaveLength(6);
});
