import { describe, expect, test } from 'vitest';
import { violationsOf } from './architecture-rule.js';
import { readSource, sourcePaths } from './source-tree.js';

const violations = (path: string, text: string): string[] => violationsOf(readSource(path, text));

describe('the rule sees what it forbids', () => {
  test.each([
    ['core/a.ts', "import { readFile } from 'node:fs';", 'core imports "node:fs"'],
    ['core/a.ts', "import type { Hono } from 'hono';", 'core imports "hono"'],
    ['core/a.ts', "import { b } from '../platform/b.js';", 'core/ may not import platform/b.js'],
    ['core/events/a.ts', "import { b } from '../../fixtures/b.js';", 'core/ may not import fixtures/b.js'],
    ['core/a.ts', 'export const now = () => Date.now();', 'core uses Date.now'],
    ['core/a.ts', 'export const now = () => new Date();', 'core uses new Date()'],
    ['core/a.ts', 'export const roll = () => Math.random();', 'core uses Math.random'],
    ['core/a.ts', "export const get = () => fetch('x');", 'core uses fetch'],
    ['ingest/a.ts', "import { b } from '../billing/b.js';", 'ingest/ may not import billing/b.js'],
    ['billing/a.ts', "const b = await import('../partners/b.js');", 'billing/ may not import partners/b.js'],
    ['sales/a.ts', "export const b: import('../ingest/b.js').B = 1;", 'sales/ may not import ingest/b.js'],
    ['partners/a.ts', "import { b } from '../sales/b.js';", 'partners/ may not import sales/b.js'],
    ['platform/a.ts', "import { b } from '../ingest/b.js';", 'platform/ may not import ingest/b.js'],
    ['transforms/a.ts', "import { b } from '../billing/b.js';", 'transforms/ may not import billing/b.js'],
    ['fixtures/a.ts', "import { b } from '../platform/b.js';", 'fixtures/ may not import platform/b.js'],
    ['api/a.ts', "import { b } from '../cli/b.js';", 'api/ may not import cli/b.js'],
    ['ingest/a.ts', "import { b } from '../package.json';", 'ingest/ may not import package.json'],
    ['ingest/a.test.ts', "import { b } from '../billing/b.js';", 'ingest/ may not import billing/b.js'],
    ['ingest/a.ts', 'export const home = process.env.HOME;', 'read the environment'],
    ['ingest/a.ts', "export const home = process['env'].HOME;", 'read the environment'],
    ['platform/lake.ts', "import { env } from 'node:process';", 'read the environment'],
    ['platform/lake.ts', 'const { env } = process;', 'read the environment'],
    ['platform/lake.ts', 'export const at = Date.now();', 'only cli/ makes the clock'],
    ['api/a.ts', "export * from './b.js';", 're-exports another file'],
    ['api/a.ts', "export { b } from './b.js';", 're-exports another file'],
    ['api/a.ts', 'export default 1;', 'default export'],
    ['api/a.ts', 'export default function b() {}', 'default export'],
    ['api/a.ts', 'const b = 1; export { b as default };', 'default export'],
    ['api/utils.ts', 'export const b = 1;', 'says nothing'],
    ['api/index.ts', 'export const b = 1;', 'says nothing'],
    ['api/getLead.ts', 'export const b = 1;', 'kebab-case'],
    ['lib/a.ts', 'export const b = 1;', 'is no folder of the architecture'],
  ])('%s: %s', (path, text, expected) => {
    expect(violations(path, text).join('\n')).toContain(expected);
  });

  test.each([
    ['core/a.ts', "import { z } from 'zod';\nimport { b } from './b.js';\nexport const at = new Date(0);"],
    ['core/a.test.ts', "import { test } from 'vitest';\nimport { createHash } from 'node:crypto';"],
    ['core/a.ts', 'export const b = { process: 1 }.process;'],
    ['ingest/a.ts', "import { b } from '../core/b.js';\nimport { c } from '../platform/c.js';"],
    ['ingest/a.test.ts', "import { b } from '../fixtures/b.js';"],
    ['cli/a.ts', "import { b } from '../api/b.js';\nexport const c = [process.env, Date.now()];"],
    ['platform/config.ts', 'export const b = process.env;'],
    ['platform/sql/drizzle.config.ts', 'export default {};'],
    ['test/proof/a.ts', "import { b } from '../../cli/b.js';\nexport const c = process.env;"],
  ])('and allows %s: %s', (path, text) => {
    expect(violations(path, text)).toEqual([]);
  });
});

describe('the source tree', () => {
  const paths = sourcePaths();

  test('was read: the files that every newcomer reads are in it', () => {
    expect(paths).toEqual(expect.arrayContaining(['core/events.ts', 'core/catalog.ts', 'core/money.ts']));
  });

  test('keeps to the table of docs/architecture.md', () => {
    expect(paths.flatMap((path) => violationsOf(readSource(path)))).toEqual([]);
  });
});
