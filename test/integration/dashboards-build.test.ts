import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { ensureSite } from '../../cli/dashboards/build-site.js';
import { siteDirectory } from '../../cli/dashboards/site-directory.js';
import { canLimitFileSize, limitFileSize } from '../faults/file-size-limit.js';

/*
 * Builds that do not come to their end: npm is stood in for, since what fails here is the machine. The build that does is in the proofs.
 */
const root = mkdtempSync(join(tmpdir(), 'headgate-build-'));
let cache: string;
let folder: string;
let environment: Readonly<Record<string, string>>;

beforeEach(() => {
  cache = mkdtempSync(join(root, 'cache-'));
  folder = join(cache, 'headgate', 'dashboards');
  environment = {
    ...{ HOME: cache, XDG_CACHE_HOME: cache },
    PATH: `${join(cache, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
  };
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

function npmThat(script: string): void {
  mkdirSync(join(cache, 'bin'), { recursive: true });
  writeFileSync(join(cache, 'bin', 'npm'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(cache, 'bin', 'npm'), 0o755);
}

const build = (signal?: AbortSignal) =>
  ensureSite({ environment, onProgress: () => undefined, ...(signal === undefined ? {} : { signal }) });

function expectNothingLeft(): void {
  expect(readdirSync(folder)).toEqual([]);
  expect(existsSync(siteDirectory(environment))).toBe(false);
}

describe('a build of the pages that fails', () => {
  test('on a disk that is full says so, where, and what to do; and leaves nothing', async () => {
    npmThat(
      'echo "npm error code ENOSPC" >&2; echo "npm error nospc ENOSPC: no space left on device, write" >&2; exit 228',
    );
    await expect(build()).rejects.toMatchObject({
      code: 'disk_full',
      message: expect.stringContaining(`the disk of ${folder} is full`) as string,
    });
    expectNothingLeft();
  });

  test.runIf(canLimitFileSize)('before npm began, as much', async () => {
    npmThat('exit 0');
    mkdirSync(folder, { recursive: true });
    const unlimit = limitFileSize(100);
    try {
      await expect(build()).rejects.toMatchObject({ code: 'disk_full' });
    } finally {
      unlimit();
    }
    expectNothingLeft();
  });

  test('since npm reaches nobody, says what npm said', async () => {
    npmThat(
      'echo "npm error network request to the registry failed, reason: getaddrinfo ENOTFOUND" >&2; exit 1',
    );
    await expect(build()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/npm ci ended with 1:\n.*ENOTFOUND/s) as string,
    });
    expectNothingLeft();
  });

  test('since it is not what the pages were written for, names what moved', async () => {
    npmThat('mkdir -p node_modules');
    await expect(build()).rejects.toMatchObject({ code: 'unavailable' });
    expectNothingLeft();
  });

  test('since somebody stopped it, ends npm too', async () => {
    npmThat('sleep 60');
    const abort = new AbortController();
    const stopped = build(abort.signal);
    setTimeout(() => {
      abort.abort();
    }, 500);
    await expect(stopped).rejects.toThrow();
    expectNothingLeft();
  });

  test('since its process was killed, leaves its folder to the next, which removes it once nobody can be at work in it', async () => {
    npmThat('exit 1');
    const [old, fresh] = ['building-old', 'building-new'].map((name) => join(folder, name));
    for (const path of [old, fresh]) mkdirSync(join(path ?? '', 'node_modules'), { recursive: true });
    const twoHoursAgo = new Date(Date.now() - 7_200_000);
    utimesSync(old ?? '', twoHoursAgo, twoHoursAgo);
    await expect(build()).rejects.toThrow();
    expect(readdirSync(folder)).toEqual(['building-new']);
  });
});
