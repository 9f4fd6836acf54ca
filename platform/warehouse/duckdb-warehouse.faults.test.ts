import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { LakeFiles } from '../lake-files.js';
import { DuckdbWarehouse } from './duckdb-warehouse.js';

const WRITER = fileURLToPath(new URL('./duckdb-warehouse.killed.ts', import.meta.url));

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'headgate-faults-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

/** `fileSizeLimit` in blocks of 512 bytes: every write beyond it fails as on a full disk. */
function startWriter(options: { fileSizeLimit?: number; checkpointMib: number; maximumChunks?: number }) {
  const limit = options.fileSizeLimit === undefined ? '' : `ulimit -f ${options.fileSizeLimit}; `;
  const command = `${limit}exec "$0" --import tsx "$@"`;
  return spawn(
    'sh',
    [
      '-c',
      command,
      process.execPath,
      WRITER,
      root,
      String(options.checkpointMib),
      String(options.maximumChunks ?? 1e5),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
}

const Chunks = z.object({ number: z.string(), rows: z.bigint() });

async function stored(): Promise<{ rowsByChunk: Map<string, bigint>; chunks: Set<string> }> {
  const warehouse = await DuckdbWarehouse.open(
    {
      file: join(root, 'warehouse.duckdb'),
      temporaryDirectory: join(root, 'tmp'),
      memoryMib: 128,
      threads: 1,
      readConnections: 1,
      checkpointMib: 16,
    },
    new LakeFiles(join(root, 'lake')),
  );
  const rows = await warehouse.query(
    `SELECT split_part(id, '/', 1) AS number, count(DISTINCT log_offset) AS rows FROM raw_executions GROUP BY ALL`,
    {},
    Chunks,
  );
  const chunks = await warehouse.query(
    `SELECT replace(chain_digest, 'chunk_', '') AS number, rows FROM ingest_chunks`,
    {},
    Chunks,
  );
  await warehouse.close();
  return {
    rowsByChunk: new Map(rows.map(({ number, rows: count }) => [number, count])),
    chunks: new Set(chunks.map(({ number }) => number)),
  };
}

function expectWholeChunks({ rowsByChunk, chunks }: Awaited<ReturnType<typeof stored>>): void {
  expect([...rowsByChunk.keys()].sort()).toEqual([...chunks].sort());
  for (const [number, rows] of rowsByChunk) expect([number, rows]).toEqual([number, 100n]);
}

test.each([1, 40, 170])(
  'killed after answer %i, everything answered is there, whole chunks only',
  async (after) => {
    // A small checkpoint size, so that kills also fall into rewriting the file.
    const writer = startWriter({ checkpointMib: 1 });
    const answered: string[] = [];
    for await (const line of createInterface({ input: writer.stdout })) {
      const [outcome, number = ''] = line.split(' ');
      if (outcome === 'ok') answered.push(number);
      if (answered.length === after) writer.kill('SIGKILL');
    }
    const found = await stored();
    expect(answered.length).toBeGreaterThanOrEqual(after);
    for (const number of answered) expect(found.chunks).toContain(number);
    expectWholeChunks(found);
  },
);

test.each([
  ['the log cannot grow', { fileSizeLimit: 3000, checkpointMib: 16 }],
  ['the file cannot be rewritten', { fileSizeLimit: 4400, checkpointMib: 1 }],
])(
  'on a full disk (%s) appends fail by name, and what was answered is exactly what is there',
  async (_, options) => {
    const writer = startWriter({ ...options, maximumChunks: 400 });
    const answered: string[] = [];
    const failures: string[] = [];
    const lines = createInterface({ input: writer.stdout });
    const closed = once(writer, 'close');
    for await (const line of lines) {
      const [outcome, number = '', code = ''] = line.split(' ');
      if (outcome === 'ok') answered.push(number);
      else failures.push(code);
    }
    await closed;
    expect(failures.length).toBeGreaterThan(0);
    for (const code of failures) expect(['disk_full', 'warehouse_unavailable']).toContain(code);
    const found = await stored();
    expect([...found.chunks].sort()).toEqual(answered.sort());
    expectWholeChunks(found);
  },
);
