import { execFile } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { packagePath } from '../../platform/package-path.js';
import { ended, startNode, type Ended } from '../support/command-line.js';
import { writeWorkedFiles } from '../support/company-by-commands.js';
import { zstdStored } from '../support/zstd-frames.js';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'headgate-package-'));
const installed = join(folder, 'package');
const Package = z.object({
  version: z.string(),
  bin: z.object({ headgate: z.string() }),
  dependencies: z.record(z.string(), z.string()),
});

function readPackage(): z.infer<typeof Package> {
  return Package.parse(JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')));
}

/** The files as npm would have put them; the packages they need are those of this checkout, since there may be no network. */
beforeAll(async () => {
  const packed = join(folder, 'packed');
  mkdirSync(packed);
  // Compiles everything first (prepack); npm has nothing to ask of a registry for it.
  await run('npm', ['pack', '--silent', '--offline', '--no-update-notifier', '--pack-destination', packed], {
    cwd: packagePath(),
  });
  const [tarball] = readdirSync(packed);
  await run('tar', ['-xzf', join(packed, tarball ?? ''), '-C', folder]);
  symlinkSync(packagePath('node_modules'), join(installed, 'node_modules'));
}, 600_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function headgate(...args: string[]): Promise<Ended> {
  const child = startNode([join(installed, readPackage().bin.headgate), ...args], { cwd: folder });
  child.stdin.end();
  return ended(child);
}

function modulesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js'))
    .map((name) => join(directory, name));
}

test('every package that the compiled code imports is a dependency, so that an install without development packages runs', () => {
  const known = new Set([...Object.keys(readPackage().dependencies), ...builtinModules]);
  const imports = modulesOf(join(installed, 'dist')).flatMap((file) =>
    [
      ...readFileSync(file, 'utf8').matchAll(
        /^(?:import|export) (?:.*from )?'([^.'][^']*)';$|import\('([^.'][^']*)'\)/gm,
      ),
    ].map((found) => found[1] ?? found[2] ?? ''),
  );
  const packages = imports.map((name) =>
    name.startsWith('node:')
      ? name.slice('node:'.length)
      : name.split('/', name.startsWith('@') ? 2 : 1).join('/'),
  );
  expect(packages.length).toBeGreaterThan(100);
  expect([...new Set(packages)].filter((name) => !known.has(name))).toEqual([]);
});

test('no test, no source and nothing of anybody else is in the package', () => {
  const names = readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter(
    (name) => !name.startsWith('node_modules'),
  );
  expect(
    names.filter((name) => /\.(test|contract|killed)\.|\.ts$|\.tgz$|^test\/|\.env$|__pycache__/.test(name)),
  ).toEqual([]);
});

test('the installed command answers: help, version, a catalog that it ships', async () => {
  const help = await headgate('--help');
  expect(help).toMatchObject({ code: 0, stderr: '' });
  expect(help.stdout).toContain('headgate ingest events.ndjson && headgate transform');
  // Of the package alone, whatever repository it may be installed in.
  expect((await headgate('--version')).stdout).toBe(`${readPackage().version}\n`);
  const check = await headgate(
    'catalog',
    'check',
    join(installed, 'fixtures', 'catalogs', 'fleetprompt.yaml'),
  );
  expect(check).toMatchObject({ code: 0, stderr: '' });
});

test(
  'the installed command ingests, publishes, transforms, drills, previews and answers SQL',
  { timeout: 240_000 },
  async () => {
    const { events, catalog } = writeWorkedFiles(folder);
    expect((await headgate('ingest', events)).stdout).toMatch(/events\.ndjson +54 +2/);
    writeFileSync(`${events}.zst`, zstdStored(readFileSync(events, 'utf8')));
    expect((await headgate('ingest', `${events}.zst`)).stdout).toContain('was taken in before');
    expect((await headgate('catalog', 'publish', catalog)).code).toBe(0);
    expect(await headgate('transform', '--as-of', '2026-05-01')).toMatchObject({ code: 0 });
    const sql = await headgate(
      'sql',
      "SELECT close_minor FROM mrr_months WHERE month = DATE '2026-04-01' AND currency = 'USD' AND dimension = 'all'",
      '--format',
      'json',
    );
    // 15,000 + 8,000 + 3,600 + 5,000, as the worked case says.
    expect(JSON.parse(sql.stdout)).toEqual([{ close_minor: 31_600 }]);
    const drill = await headgate('drill', 'mrr', 'month=2026-04-01', 'currency=USD');
    expect(drill.stdout).toContain('31600');
    const preview = await headgate('billing', 'preview', '--period', '2026-04');
    expect(preview.stdout).toContain('$5.00 would be billed');
  },
);
