import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventExamples } from '../../core/events/examples.js';
import { NO_EXTRA_KEYS } from '../../core/events/personal.js';
import { NOW, openIngestTestBed } from '../../test/ingest-services.js';
import { ingestNdjsonFile } from './ingest-file.js';

const INGESTER = fileURLToPath(new URL('../../test/faults/ingest-file.killed.ts', import.meta.url));
const LINES = 40_000;

let root: string;
let path: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'headgate-ingest-faults-'));
  path = join(root, 'events.ndjson');
  const session = eventExamples['session.active'];
  const lines = Array.from({ length: LINES }, (_, index) =>
    // Noise, or packing would make the rows too small to fill a disk with.
    JSON.stringify({ ...session, id: `evt_${index}`, data: { userId: randomBytes(90).toString('hex') } }),
  );
  writeFileSync(path, `${lines.join('\n')}\n`);
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

/** Runs the ingest in a process of its own; `fileSizeLimit` in blocks of 512 bytes stands for a full disk. */
async function runIngester(options: { fileSizeLimit?: number; killAfterChunks?: number }): Promise<string[]> {
  const limit = options.fileSizeLimit === undefined ? '' : `ulimit -f ${options.fileSizeLimit}; `;
  const ingester = spawn(
    'sh',
    ['-c', `${limit}exec "$0" --import tsx "$@"`, process.execPath, INGESTER, root, path],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const said: string[] = [];
  for await (const line of createInterface({ input: ingester.stdout })) {
    said.push(line);
    if (said.length === options.killAfterChunks) ingester.kill('SIGKILL');
  }
  return said;
}

/** Opens what the other process left behind, ingests the file again, and looks at what is there. */
async function finish(): Promise<{ before: number; ids: readonly string[] }> {
  const bed = await openIngestTestBed(NO_EXTRA_KEYS, root);
  try {
    const before = (await bed.rows()).length;
    await ingestNdjsonFile(path, bed.services, { chunkBytes: 1 << 20 }, NOW);
    return { before, ids: (await bed.rows()).map((row) => row.id) };
  } finally {
    await bed.close();
  }
}

const everyId = Array.from({ length: LINES }, (_, index) => `evt_${index}`);

test.each([1, 4, 8])(
  'killed after chunk %i, the same file again adds exactly what is missing',
  async (after) => {
    const said = await runIngester({ killAfterChunks: after });
    const acknowledged = Number(said[after - 1]?.split(' ')[1]);
    expect(acknowledged).toBeGreaterThan(0);
    const { before, ids } = await finish();
    expect(before).toBeGreaterThanOrEqual(acknowledged);
    expect(ids).toEqual(everyId);
  },
);

test('on a full disk the ingest stops with a clear error, and goes on once there is space', async () => {
  const said = await runIngester({ fileSizeLimit: 8_000 });
  expect(['failed disk_full', 'failed warehouse_unavailable']).toContain(said.at(-1));
  const { before, ids } = await finish();
  expect(before).toBeLessThan(LINES);
  expect(ids).toEqual(everyId);
});
