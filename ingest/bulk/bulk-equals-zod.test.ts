import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { anyLine, Dice } from '../../test/event-lines.js';
import { NOW, openIngestTestBed, type IngestTestBed, type StoredRow } from '../../test/ingest-services.js';
import { ingestNdjsonFile } from '../files/ingest-file.js';

const RUNS = 3;
const LINES_PER_RUN = 3_000;

let bed: IngestTestBed;
beforeAll(async () => {
  bed = await openIngestTestBed();
});
afterAll(() => bed.close());

interface Outcome {
  readonly byEngine: number;
  /** Without their positions, which differ from file to file. */
  readonly rows: readonly StoredRow[];
  readonly refused: readonly string[];
}

async function outcomeOf(name: string, lines: readonly string[], minimumBulkLines: number): Promise<Outcome> {
  const before = (await bed.rows()).at(-1)?.log_offset ?? -1n;
  const path = join(bed.root, name);
  // A comment line of its own makes each file's digest new; it is one more refused line in both.
  writeFileSync(path, `# ${name.split('.')[0] ?? ''} ${minimumBulkLines}\n${lines.join('\n')}\n`);
  const { byEngine } = await ingestNdjsonFile(path, bed.services, { minimumBulkLines }, NOW);
  const rows = (await bed.rows()).filter((row) => row.log_offset > before);
  const page = await bed.services.quarantine.list({ sourceName: name }, { limit: 10_000 });
  return {
    byEngine,
    rows: rows.map((row) => ({ ...row, log_offset: 0n })),
    refused: page.events
      .filter((event) => event.sourcePosition !== 'line 1')
      .map((event) => `${event.sourcePosition} ${event.reason} ${event.path}`)
      .sort(),
  };
}

test('the engine and zod make the same rows and refuse the same lines, whatever the lines hold', async () => {
  const seed = Date.now() % 2 ** 31;
  console.log(`bulk equals zod: seed ${seed}, ${RUNS} files of ${LINES_PER_RUN} lines`);
  for (let run = 0; run < RUNS; run += 1) {
    const dice = new Dice(seed + run);
    const lines = Array.from({ length: LINES_PER_RUN }, () => anyLine(dice));
    const byEngine = await outcomeOf(`engine-${run}.ndjson`, lines, 1);
    const byZod = await outcomeOf(`zod-${run}.ndjson`, lines, Number.MAX_SAFE_INTEGER);
    expect(byEngine.rows).toEqual(byZod.rows);
    expect(byEngine.refused).toEqual(byZod.refused);
    // Else the test would hold zod against itself.
    expect(byEngine.byEngine).toBeGreaterThan(LINES_PER_RUN / 6);
    expect(byZod.byEngine).toBe(0);
  }
});
