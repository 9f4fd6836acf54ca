#!/usr/bin/env node
// The one file that runs before anything is installed: no imports beyond Node's own.
// It installs what a task needs, once per lock file, then hands over.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const SERVICES = 'test/services/install.ts';

/** What each npm script installs (folders with a lock file of their own) and then runs. */
const tasks = {
  demo: { folders: ['.'], command: ['--import', 'tsx', 'cli/main.ts', 'demo'] },
  install: { folders: ['.', 'test/services'], command: null },
  headgate: { folders: ['.'], command: ['--import', 'tsx', 'cli/main.ts'] },
  services: {
    folders: ['.', 'test/services'],
    command: ['--import', 'tsx', 'test/services/run-services.ts'],
  },
  test: { folders: ['.', 'test/services'], command: ['node_modules/vitest/vitest.mjs', 'run'] },
  proof: {
    folders: ['.', 'test/services'],
    command: ['node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.proof.config.ts'],
  },
  bench: { folders: ['.', 'test/services'], command: ['--import', 'tsx', 'test/bench/main.ts'] },
};

function fail(message) {
  console.error(message);
  process.exit(1);
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  fail(
    `Headgate needs Node.js 20.19 or later; this is ${process.versions.node}. Install it from your package manager.`,
  );
}

/** Runs a command with this terminal; resolves to its exit code, forwarding the signals that end it. */
function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
    child.on('error', (error) => fail(`${command}: ${error.message}`));
    child.on('exit', (code, signal) => resolve(code ?? (signal ? 1 : 0)));
  });
}

async function install(folder) {
  const directory = join(root, folder);
  const lock = createHash('sha256')
    .update(readFileSync(join(directory, 'package-lock.json')))
    .digest('hex');
  const stamp = join(directory, 'node_modules', '.headgate-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  const what = folder === '.' ? 'npm packages' : `npm packages for ${folder}`;
  const startedMs = Date.now();
  console.error(`Installing ${what} from the lock file (once) …`);
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  // Standard output belongs to the task (it may be piped), so npm's goes to standard error.
  const code = await run(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: directory,
    stdio: ['ignore', 2, 2],
  });
  if (code !== 0) fail(`Installing ${what} failed (npm ci, exit ${code}). Check the network and try again.`);
  writeFileSync(stamp, lock);
  console.error(`Installed ${what} in ${Math.round((Date.now() - startedMs) / 1000)} s.`);
  // Some services come from Maven and from Go's modules. Without them, what needs them says so.
  if (folder === 'test/services')
    await run(process.execPath, ['--import', 'tsx', SERVICES], { stdio: ['ignore', 2, 2] });
}

const [name, ...rest] = process.argv.slice(2);
const task = Object.hasOwn(tasks, name) ? tasks[name] : fail(`bootstrap: unknown task "${name}"`);
requireNode();
for (const folder of task.folders) await install(folder);
if (task.command !== null) process.exitCode = await run(process.execPath, [...task.command, ...rest]);
