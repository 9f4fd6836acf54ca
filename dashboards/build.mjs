// Builds the dashboards offline.
//
//   node build.mjs --out DIR
//
// --out   where the site goes (a directory of static files to be served under /dashboards)
//
// Pages hold no data: the product serves that beside them, of whichever run is current.
//
// Evidence's own `evidence build` is not used: it copies pages by file watchers beside the running build (a race),
// registers telemetry, and leaves no place for our own app.html, +layout.js and Vite alias. What it does otherwise
// is short: copy the template, copy the project's files over it, run `vite build` in it. That is done here.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createRequire } from 'node:module';
import zlib from 'node:zlib';
import { checkPins } from './pins.mjs';

const root = dirname(fileURLToPath(import.meta.url));
const { values: args } = parseArgs({ options: { out: { type: 'string' } } });
if (!args.out) throw new Error('usage: node build.mjs --out DIR');

// Fails if what we replace or rely on inside Evidence is not, byte for byte, what this was written for.
checkPins(root);

const stage = join(root, '.evidence', 'template');
rmSync(join(root, '.evidence'), { recursive: true, force: true });
cpSync(join(root, 'node_modules/@evidence-dev/evidence/template'), stage, { recursive: true });

// Evidence's developer pages and JSON routes: none is used by our layout, so none is shipped.
for (const dir of ['settings', 'explore', 'api', 'manifest.webmanifest', 'fix-tprotocol-service-worker.js']) {
  rmSync(join(stage, 'src/pages', dir), { recursive: true });
}
// Evidence's welcome page and icons.
rmSync(join(stage, 'src/pages/+page.md'));
rmSync(join(stage, 'static'), { recursive: true });

renameSync(join(stage, 'vite.config.js'), join(stage, 'vite.config.evidence.js'));
cpSync(join(root, 'template'), stage, { recursive: true });
cpSync(join(root, 'components'), join(stage, 'src/components'), { recursive: true });
cpSync(join(root, 'static'), join(stage, 'static'), { recursive: true });
for (const name of ['definitions.json', 'exponents.json']) cpSync(join(root, name), join(stage, 'src', name));
// pages/index.md -> +page.md, pages/a/b.md -> a/b/+page.md, as Evidence names them.
for (const file of readdirSync(join(root, 'pages'), { recursive: true })) {
  if (!file.endsWith('.md')) continue;
  const to = file.replace(/(^|\/)index\.md$/, '$1+page.md').replace(/(?<!\+page)\.md$/, '/+page.md');
  mkdirSync(dirname(join(stage, 'src/pages', to)), { recursive: true });
  cpSync(join(root, 'pages', file), join(stage, 'src/pages', to));
}

const vite = spawnSync(process.execPath, [join(root, 'node_modules/vite/bin/vite.js'), 'build'], {
  cwd: stage,
  stdio: 'inherit',
  env: {
    ...process.env,
    SEND_ANONYMOUS_USAGE_STATS: 'no',
    EVIDENCE_IS_BUILDING: 'true',
    EVIDENCE_DATA_DIR: './static/data',
    EVIDENCE_DATA_URL_PREFIX: 'static/data',
    NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --max-old-space-size=4096`,
  },
});
if (vite.status !== 0) throw new Error(`vite build ended with ${vite.status}`);

const built = join(stage, 'build');
// SvelteKit starts each page by an inline script. Put it into a file, so that the CSP needs no hash per page.
for (const file of readdirSync(built, { recursive: true })) {
  if (!file.endsWith('.html')) continue;
  let html = readFileSync(join(built, file), 'utf8');
  html = html.replace(/<script>([\s\S]*?)<\/script>/g, (_all, code) => {
    const name = `_app/immutable/boot.${createHash('sha256').update(code).digest('hex').slice(0, 12)}.js`;
    writeFileSync(join(built, name), code);
    const base = /\bbase: "([^"]*)"/.exec(code)?.[1];
    if (base === undefined) throw new Error(`an inline script in ${file} is not SvelteKit's`);
    return `<script src="${base}/${name}"></script>`;
  });
  // Loud, since a CSP would block it silently in front of the reader.
  if (/<script(?![^>]*\ssrc=)[^>]*>/.test(html) || /\sstyle=/.test(html))
    throw new Error(`inline code is left in ${file}`);
  writeFileSync(join(built, file), html);
}

writeFileSync(join(built, 'queries.json'), JSON.stringify(pageQueries(), null, '\t'));

// Compressed once here, and not by the server at each request.
for (const file of readdirSync(built, { recursive: true })) {
  const path = join(built, file);
  if (!/\.(js|css|html|wasm|svg)$/.test(file)) continue;
  const bytes = readFileSync(path);
  const params = { [zlib.constants.BROTLI_PARAM_QUALITY]: 9, [zlib.constants.BROTLI_PARAM_LGWIN]: 22 };
  writeFileSync(path + '.br', zlib.brotliCompressSync(bytes, { params }));
  writeFileSync(path + '.gz', zlib.gzipSync(bytes, { level: 9 }));
}

rmSync(args.out, { recursive: true, force: true });
cpSync(built, args.out, { recursive: true });
console.log(`built ${relative(process.cwd(), args.out)}`);

/**
 * The SQL that each page runs when it is opened with all its filters unset: what the product prepares per run.
 * Queries with an input that has no default there (anything but our <Filter>) are left out: the engine answers them.
 */
function pageQueries() {
  const { extractQueries, injectPartials } = createRequire(import.meta.url)('@evidence-dev/preprocess');
  const pages = {};
  for (const file of readdirSync(join(root, 'pages'), { recursive: true })) {
    if (!file.endsWith('.md')) continue;
    const text = readFileSync(join(root, 'pages', file), 'utf8');
    const defaults = new Map();
    for (const [tag] of text.matchAll(/<Filter\b[^>]*>/g)) {
      defaults.set(/\bname="(\w+)"/.exec(tag)?.[1], /\ball="([^"]*)"/.exec(tag)?.[1] ?? 'all');
    }
    const route = `/${file.replace(/(^|\/)index\.md$/, '').replace(/\.md$/, '')}`;
    pages[route] = extractQueries(injectPartials(text))
      .map((q) =>
        q.compiledQueryString.replace(
          /\$\{\s*inputs\.(\w+)\.value\s*\}/g,
          (all, name) => defaults.get(name) ?? all,
        ),
      )
      .filter((sql) => !sql.includes('${'))
      .map((sql) => sql.trim());
  }
  return pages;
}
