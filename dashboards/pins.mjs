// What we replace or rely on inside Evidence, by exact version and by hash.
//   node pins.mjs          checks
//   node pins.mjs --write  writes pins.json anew: only after comparing our template/ with Evidence's new one by eye

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGES = [
  '@evidence-dev/evidence',
  '@evidence-dev/core-components',
  '@evidence-dev/component-utilities',
  '@evidence-dev/preprocess',
  '@evidence-dev/sdk',
  '@evidence-dev/universal-sql',
  '@duckdb/duckdb-wasm',
  'apache-arrow',
  'echarts',
  'html-to-image',
  'parquet-wasm',
  '@sveltejs/kit',
  'svelte',
  'vite',
];
const FILES = [
  // stood in for by components/engine.js
  '@evidence-dev/universal-sql/src/client-duckdb/browser.js',
  '@evidence-dev/universal-sql/src/client-duckdb/both.js',
  // what build.mjs does instead of `evidence build`
  '@evidence-dev/evidence/cli.js',
  // imported by its path, for the package does not export it
  '@evidence-dev/core-components/dist/themes/themes.js',
  // how a query is worded when it is run (engine.js finds prepared results by it), and changed before that
  '@evidence-dev/sdk/src/usql/query/Query.js',
  '@evidence-dev/sdk/src/usql/query/sterilizeQuery.js',
  // how a page's queries are run, and by which function
  '@evidence-dev/preprocess/src/process-queries.cjs',
  '@evidence-dev/component-utilities/src/buildQuery.js',
];

/** @param {string} root */
function look(root) {
  const modules = join(root, 'node_modules');
  const sha = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');
  const template = '@evidence-dev/evidence/template';
  const files = [
    ...FILES,
    // the whole template, as text: our own files are laid over it
    ...readdirSync(join(modules, template), { recursive: true, withFileTypes: true })
      .filter((e) => e.isFile() && !e.parentPath.includes('/static'))
      .map((e) => join(e.parentPath, e.name).slice(modules.length + 1)),
  ].sort();
  return {
    versions: Object.fromEntries(
      PACKAGES.map((p) => [p, JSON.parse(readFileSync(join(modules, p, 'package.json'), 'utf8')).version]),
    ),
    files: Object.fromEntries(files.map((f) => [f, sha(join(modules, f))])),
  };
}

/** Throws, naming each difference, if something moved. @param {string} root */
export function checkPins(root) {
  const pinned = JSON.parse(readFileSync(join(root, 'pins.json'), 'utf8'));
  const found = look(root);
  const moved = ['versions', 'files'].flatMap((kind) =>
    [...new Set([...Object.keys(pinned[kind]), ...Object.keys(found[kind])])]
      .filter((key) => pinned[kind][key] !== found[kind][key])
      .map((key) => `  ${key}: pinned ${pinned[kind][key]}, found ${found[kind][key]}`),
  );
  if (moved.length)
    throw new Error(`Evidence is not what these dashboards were written for:\n${moved.join('\n')}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = dirname(fileURLToPath(import.meta.url));
  if (process.argv.includes('--write'))
    writeFileSync(join(root, 'pins.json'), JSON.stringify(look(root), null, 2) + '\n');
  checkPins(root);
  console.log('pins hold');
}
