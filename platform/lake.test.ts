import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { STREAMS, type RawEvent, type Stream } from '../core/raw-event.js';
import { LakeFiles } from './lake-files.js';
import { Lake } from './lake.js';
import { DuckdbWarehouse } from './warehouse/duckdb-warehouse.js';
import { rawRelation } from './warehouse/duckdb-runs.js';
import { rawTable } from './warehouse/raw-tables.js';
import { rawEvent } from './warehouse/warehouse.contract.js';

let root: string;
let files: LakeFiles;
let warehouse: DuckdbWarehouse;
let lake: Lake;

async function open(): Promise<void> {
  files = new LakeFiles(join(root, 'lake'));
  warehouse = await DuckdbWarehouse.open(
    {
      file: join(root, 'warehouse.duckdb'),
      temporaryDirectory: join(root, 'tmp'),
      memoryMib: 128,
      threads: 2,
      readConnections: 2,
      checkpointMib: 16,
    },
    files,
  );
  lake = Lake.open(warehouse, files);
}
async function reopen(): Promise<void> {
  await warehouse.close();
  await open();
}
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'headgate-lake-'));
  await open();
});
afterEach(async () => {
  await warehouse.close();
  rmSync(root, { recursive: true });
});

const micros = (text: string) => BigInt(Date.parse(text)) * 1000n;
const event = (id: string, time: string, changes: Partial<RawEvent> = {}) =>
  rawEvent(id, { timeMicros: micros(time), ...changes });
const append = (...events: RawEvent[]) => warehouse.append(events, { recordedAtMicros: 1n });
const exportAll = async () => lake.export(await warehouse.positions());
const names = () =>
  files.parts().map(({ stream, path }) => `${stream} ${path.split('/').slice(-2).join('/')}`);

const Row = z.looseObject({ id: z.string(), log_offset: z.bigint() });
async function rowsOf(relation: string): Promise<unknown[]> {
  return warehouse.query(`SELECT * FROM ${relation} ORDER BY log_offset`, {}, Row);
}
async function lakeRows(stream: Stream): Promise<unknown[]> {
  const lease = files.lease();
  try {
    return await rowsOf(rawRelation(lease, stream));
  } finally {
    lease.release();
  }
}
async function expectLakeEqualsWarehouse(): Promise<void> {
  for (const stream of STREAMS) expect(await lakeRows(stream)).toEqual(await rowsOf(rawTable(stream)));
}

test('rows go to the month in which they happened, midnight of the first to the new one', async () => {
  await append(event('a', '2026-01-31T23:59:59.999Z'), event('b', '2026-02-01T00:00:00Z'));
  const exported = await exportAll();
  expect(exported.rows).toBe(2n);
  expect(names()).toEqual(['executions month=2026-01/1-2.parquet', 'executions month=2026-02/1-2.parquet']);
  await expectLakeEqualsWarehouse();
});

test('a second export writes only what is new, and nothing when nothing is', async () => {
  await append(event('a', '2026-01-05T00:00:00Z'));
  await exportAll();
  expect(await exportAll()).toEqual({ parts: [], rows: 0n });
  await append(event('late', '2026-01-02T00:00:00Z'), event('c', '2026-01-02T00:00:00Z', { stream: 'crm' }));
  await exportAll();
  expect(names()).toEqual([
    'executions month=2026-01/1-1.parquet',
    'executions month=2026-01/2-2.parquet',
    'crm month=2026-01/1-3.parquet',
  ]);
  expect(await lake.exportedTo('executions')).toBe(2n);
  await expectLakeEqualsWarehouse();
});

test('rows above the watermark stay out', async () => {
  await append(event('a', '2026-01-05T00:00:00Z'));
  const watermark = await warehouse.positions();
  await append(event('b', '2026-01-05T00:00:00Z'));
  await lake.export(watermark);
  expect(await lakeRows('executions')).toHaveLength(1);
  await exportAll();
  await expectLakeEqualsWarehouse();
});

test('a part is sorted by day, then subject, then position', async () => {
  await append(
    event('1', '2026-01-02T09:00:00Z', { subject: 'org_b' }),
    event('2', '2026-01-02T08:00:00Z', { subject: 'org_a' }),
    event('3', '2026-01-01T23:00:00Z', { subject: 'org_c' }),
    event('4', '2026-01-02T07:00:00Z', { subject: 'org_a' }),
  );
  const { parts } = await exportAll();
  const rows = await warehouse.query(
    `SELECT id, log_offset FROM read_parquet('${parts[0]?.path ?? ''}')`,
    {},
    Row,
  );
  expect(rows.map(({ id }) => id)).toEqual(['3', '2', '4', '1']);
});

test('killed between two parts, the next export writes the same files and each row once', async () => {
  await append(event('a', '2026-01-05T00:00:00Z'), event('b', '2026-02-05T00:00:00Z'));
  // As a kill leaves it: the range written down, one month there, the other half written.
  await warehouse.run(`INSERT INTO lake_exports VALUES ('executions', 1, 2, false)`);
  const { parts } = await lake.export({ ...(await warehouse.positions()) });
  const [january, february] = parts;
  await warehouse.run(`UPDATE lake_exports SET is_done = false`);
  rmSync(february?.path ?? '');
  writeFileSync(`${february?.path ?? ''}.tmp`, 'PAR1 half');
  const before = readFileSync(january?.path ?? '');
  await append(event('c', '2026-02-06T00:00:00Z'));

  await reopen();
  await exportAll();
  expect(names()).toEqual([
    'executions month=2026-01/1-2.parquet',
    'executions month=2026-02/1-2.parquet',
    'executions month=2026-02/3-3.parquet',
  ]);
  expect(readFileSync(january?.path ?? '')).toEqual(before);
  expect(
    readdirSync(files.monthDirectory('executions', '2026-02')).some((name) => name.endsWith('.tmp')),
  ).toBe(false);
  await expectLakeEqualsWarehouse();
});

test('compaction makes one part of a month, with the same rows', async () => {
  for (const id of ['a', 'b', 'c']) {
    await append(event(id, '2026-01-05T00:00:00Z'));
    await exportAll();
  }
  expect(await lake.compact({ minimumParts: 4 })).toBe(0);
  expect(await lake.compact({ minimumParts: 2 })).toBe(1);
  expect(names()).toEqual(['executions month=2026-01/1-3.parquet']);
  expect(readdirSync(files.monthDirectory('executions', '2026-01'))).toEqual(['1-3.parquet']);
  await append(event('d', '2026-01-05T00:00:00Z'));
  await exportAll();
  await expectLakeEqualsWarehouse();
});

test('compaction leaves every file where it is while somebody reads', async () => {
  for (const id of ['a', 'b']) {
    await append(event(id, '2026-01-05T00:00:00Z'));
    await exportAll();
  }
  const lease = files.lease();
  expect(await lake.compact({ minimumParts: 2 })).toBe(0);
  for (const { path } of lease.parts) expect(existsSync(path)).toBe(true);
  lease.release();
  lease.release();
  expect(await lake.compact({ minimumParts: 2 })).toBe(1);
});

test('a reader that comes while parts are merged keeps its files', async () => {
  for (const id of ['a', 'b']) {
    await append(event(id, '2026-01-05T00:00:00Z'));
    await exportAll();
  }
  const merging = lake.compact({ minimumParts: 2 });
  const lease = files.lease();
  await merging;
  expect(await rowsOf(rawRelation(lease, 'executions'))).toHaveLength(2);
  lease.release();
  expect(
    readdirSync(files.monthDirectory('executions', '2026-01')).filter((name) => name.endsWith('.tmp')),
  ).toEqual([]);
});

test('killed between writing the merged part and removing the old ones, each row still counts once', async () => {
  for (const id of ['a', 'b']) {
    await append(event(id, '2026-01-05T00:00:00Z'));
    await exportAll();
  }
  const old = files.parts().map(({ path }) => path);
  for (const path of old) copyFileSync(path, `${path}.kept`);
  await lake.compact({ minimumParts: 2 });
  for (const path of old) copyFileSync(`${path}.kept`, path);

  files.changed();
  await expectLakeEqualsWarehouse();
  await reopen();
  expect(names()).toEqual(['executions month=2026-01/1-2.parquet']);
  for (const path of old) expect(existsSync(path)).toBe(false);
});

test('whatever is appended, exported, compacted and reopened in whatever order, the lake holds each row once', async () => {
  const anyStep = fc.oneof(
    fc.record({
      kind: fc.constant('append' as const),
      stream: fc.constantFrom(...STREAMS),
      month: fc.integer({ min: 1, max: 3 }),
    }),
    fc.constantFrom({ kind: 'export' as const }, { kind: 'compact' as const }, { kind: 'reopen' as const }),
  );
  let count = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { maxLength: 12 }), async (steps) => {
      for (const step of steps) {
        if (step.kind === 'append') {
          count += 1;
          await append(event(`evt_${count}`, `2026-0${step.month}-15T00:00:00Z`, { stream: step.stream }));
        } else if (step.kind === 'export') await exportAll();
        else if (step.kind === 'compact') await lake.compact({ minimumParts: 2 });
        else await reopen();
      }
      await exportAll();
      await expectLakeEqualsWarehouse();
    }),
    { numRuns: 15 },
  );
});
