import { posix } from 'node:path';
import type { SourceFile } from './source-tree.js';

/** docs/architecture.md's table: a folder, and the folders it may import besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  platform: ['core'],
  ingest: ['core', 'platform'],
  transforms: ['core', 'platform'],
  billing: ['core', 'platform'],
  partners: ['core', 'platform'],
  sales: ['core', 'platform'],
  fixtures: ['core'],
  api: ['core', 'platform', 'ingest', 'transforms', 'billing', 'partners', 'sales'],
  cli: ['core', 'platform', 'ingest', 'transforms', 'billing', 'partners', 'sales', 'api', 'fixtures'],
  test: [
    'core',
    'platform',
    'ingest',
    'transforms',
    'billing',
    'partners',
    'sales',
    'api',
    'cli',
    'fixtures',
  ],
};

/** Tests beside a file may also use what only tests need. */
const TESTS_MAY_IMPORT = ['fixtures', 'test'];
const PACKAGES_OF_CORE = new Set(['zod']);
const TEST_FILE = /\.(test|contract)\.ts$/;
/** Tools find their configuration by its default export. */
const TOOL_FILE = /\.config\.[jt]s$/;
const KEBAB_CASE = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)+$/;
const VAGUE_NAME = /^(utils?|helpers?|common|misc|shared|types|constants|index)\.(ts|mjs|js)$/;

/** Everything in which a file breaks the architecture, each as a line that says where and what to do. */
export function violationsOf(file: SourceFile): string[] {
  const [folder = ''] = file.path.split('/');
  return [...importViolations(file, folder), ...worldViolations(file, folder), ...shapeViolations(file)];
}

function importViolations(file: SourceFile, folder: string): string[] {
  const allowed = MAY_IMPORT[folder];
  if (allowed === undefined)
    return [`${file.path}: "${folder}" is no folder of the architecture; add it to the table`];
  const isTest = TEST_FILE.test(file.path);
  const folders = new Set([folder, ...allowed, ...(isTest ? TESTS_MAY_IMPORT : [])]);
  return file.imports.flatMap(({ from, line }) => {
    const where = `${file.path}:${line}`;
    if (!from.startsWith('.')) {
      const isForeign = folder === 'core' && !isTest && !PACKAGES_OF_CORE.has(from);
      return isForeign
        ? [`${where}: core imports "${from}"; it may import zod only, take what it does as an argument`]
        : [];
    }
    const target = posix.join(posix.dirname(file.path), from);
    const [targetFolder = ''] = target.split('/');
    if (folders.has(targetFolder)) return [];
    return [
      `${where}: ${folder}/ may not import ${target}; it may import ${[...allowed].join(', ') || 'nothing'}`,
    ];
  });
}

function worldViolations(file: SourceFile, folder: string): string[] {
  if (TEST_FILE.test(file.path) || folder === 'test') return [];
  return file.worldly.flatMap(({ name, line }) => {
    const where = `${file.path}:${line}`;
    if (folder === 'core') return [`${where}: core uses ${name}; core is pure, take it as an argument`];
    const isEnvironment = name === 'process.env';
    if (isEnvironment && folder !== 'cli' && file.path !== 'platform/config.ts') {
      return [
        `${where}: only cli/ and platform/config.ts read the environment; take the value as an argument`,
      ];
    }
    const isClock = name === 'Date.now' || name === 'new Date()';
    if (isClock && folder !== 'cli') return [`${where}: only cli/ makes the clock; take now as an argument`];
    return [];
  });
}

function shapeViolations(file: SourceFile): string[] {
  const name = posix.basename(file.path);
  const found: string[] = [];
  if (file.reExports > 0 && !TOOL_FILE.test(file.path)) {
    found.push(`${file.path}: re-exports another file; import from where a thing is defined`);
  }
  if (file.exportsDefault && !TOOL_FILE.test(file.path)) {
    found.push(`${file.path}: has a default export; name it, so that it has one name everywhere`);
  }
  if (VAGUE_NAME.test(name))
    found.push(`${file.path}: "${name}" says nothing; name the file for what it does`);
  if (!KEBAB_CASE.test(name)) found.push(`${file.path}: file names are kebab-case`);
  return found;
}
