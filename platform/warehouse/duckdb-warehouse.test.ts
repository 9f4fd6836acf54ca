import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { STREAMS } from '../../core/raw-event.js';
import { LakeFiles } from '../lake-files.js';
import type { BulkBatch } from './bulk-warehouse.js';
import { DuckdbWarehouse } from './duckdb-warehouse.js';
import { rawEvent, warehouseContract } from './warehouse.contract.js';

function openIn(root: string): Promise<DuckdbWarehouse> {
  return DuckdbWarehouse.open(
    {
      file: join(root, 'warehouse.duckdb'),
      temporaryDirectory: join(root, 'tmp'),
      memoryMib: 256,
      threads: 2,
      readConnections: 4,
      checkpointMib: 16,
    },
    new LakeFiles(join(root, 'lake')),
  );
}

const newRoot = () => mkdtempSync(join(tmpdir(), 'headgate-warehouse-'));

warehouseContract('DuckDB', () => {
  const root = newRoot();
  return Promise.resolve({
    open: () => openIn(root),
    dispose: () => {
      rmSync(root, { recursive: true });
      return Promise.resolve();
    },
  });
});

describe('DuckDB beyond the contract', () => {
  let root: string;
  let warehouse: DuckdbWarehouse;
  beforeEach(async () => {
    root = newRoot();
    warehouse = await openIn(root);
  });
  afterEach(async () => {
    await warehouse.close();
    rmSync(root, { recursive: true });
  });

  const SELECTION = `SELECT ordinal, 'file' AS source, 'evt_' || ordinal AS id, 'lead.activity' AS type, 'org_1' AS subject,
    TIMESTAMP '2026-01-01' AS time, '{"n":' || ordinal || '}' AS data, NULL::VARCHAR AS extra FROM staged`;
  const batch = (changes: Partial<BulkBatch> = {}): BulkBatch => ({
    ordinalSpan: 10n,
    selections: [{ stream: 'crm', sql: SELECTION }],
    events: [],
    chunk: { chainDigest: 'c1', sourceName: 'f', offsetBytes: 10n, rows: 4n },
    recordedAtMicros: 1n,
    ...changes,
  });
  const Row = z.object({
    id: z.string(),
    log_offset: z.bigint(),
    identity: z.string(),
    raw_hash: z.string(),
  });
  const rows = () => warehouse.query('SELECT * FROM raw_crm ORDER BY log_offset', {}, Row);

  test('rows that the engine took and rows that JavaScript took stand in the order of the file', async () => {
    const receipt = await warehouse.bulk(async (session) => {
      await session.run('CREATE TEMP TABLE staged AS SELECT unnest([0, 2, 5])::BIGINT AS ordinal');
      return session.append(
        batch({ events: [{ ordinal: 3n, event: rawEvent('by_hand', { stream: 'crm' }) }] }),
      );
    });
    expect(receipt).toMatchObject({ count: 4, first: { offset: 1n }, last: { offset: 6n } });
    expect((await rows()).map(({ id, log_offset }) => [id, log_offset])).toEqual([
      ['evt_0', 1n],
      ['evt_2', 3n],
      ['by_hand', 4n],
      ['evt_5', 6n],
    ]);
    expect((await warehouse.positions()).crm).toEqual([{ partition: 0, offset: 6n }]);
  });

  test('the engine computes identity and raw_hash as JavaScript does', async () => {
    const twin = rawEvent('evt_7', {
      stream: 'crm',
      source: 'file',
      type: 'lead.activity',
      timeMicros: BigInt(Date.parse('2026-01-01T00:00:00Z')) * 1000n,
      data: '{"n":7}',
    });
    await warehouse.append([twin], { recordedAtMicros: 1n });
    await warehouse.bulk(async (session) => {
      await session.run('CREATE TEMP TABLE staged AS SELECT 7::BIGINT AS ordinal');
      await session.append(batch());
    });
    const [byHand, byEngine] = await rows();
    expect(byEngine?.identity).toBe(byHand?.identity);
    expect(byEngine?.raw_hash).toBe(byHand?.raw_hash);
  });

  test('when one selection fails, neither its rows nor the progress of the file are there, and writing goes on', async () => {
    await warehouse.bulk(async (session) => {
      await session.run('CREATE TEMP TABLE staged AS SELECT 0::BIGINT AS ordinal');
      const broken = { stream: 'crm' as const, sql: `${SELECTION} WHERE error('no') IS NULL` };
      await expect(
        session.append(batch({ selections: [{ stream: 'crm', sql: SELECTION }, broken] })),
      ).rejects.toThrow();
      expect(await rows()).toEqual([]);
      expect(await warehouse.findChunk('c1')).toBeNull();
      await session.append(batch());
    });
    expect(await rows()).toHaveLength(1);
  });

  test('what a bulk session stages does not hold up other writers', async () => {
    await warehouse.bulk(async (session) => {
      await session.run('CREATE TEMP TABLE staged AS SELECT 0::BIGINT AS ordinal');
      await warehouse.append([rawEvent('meanwhile')], { recordedAtMicros: 1n });
      expect((await session.append(batch())).first?.offset).toBe(2n);
    });
  });

  async function makeRun(runId: string, closeMinor: number) {
    const location = join(root, 'runs', runId);
    for (const stream of STREAMS) mkdirSync(join(location, 'facts', stream), { recursive: true });
    const instance = await DuckDBInstance.create(join(location, 'marts.duckdb'));
    const connection = await instance.connect();
    await connection.run(`CREATE TABLE mrr_months AS SELECT ${closeMinor}::BIGINT AS close_minor`);
    await connection.run(
      `COPY (SELECT 'org_1' AS org_id) TO '${join(location, 'facts', 'billing', 'month=2026-01.parquet')}' (FORMAT parquet)`,
    );
    connection.closeSync();
    instance.closeSync();
    return { runId, location };
  }
  const Close = z.object({ close_minor: z.bigint() });

  test('a run stays readable for who opened it while newer ones come, and idle ones are let go', async () => {
    const readers = [];
    for (let index = 1; index <= 4; index += 1)
      readers.push(await warehouse.openRun(await makeRun(`run_${index}`, index)));
    for (const [index, reader] of readers.entries()) {
      expect(await reader.query(`SELECT * FROM ${reader.relation}.mrr_months`, {}, Close)).toEqual([
        { close_minor: BigInt(index + 1) },
      ]);
    }
    for (const reader of readers) {
      await reader.release();
      await reader.release();
    }
    const attached = await warehouse.query(
      `SELECT database_name AS name FROM duckdb_databases() WHERE database_name LIKE 'run_%' ORDER BY 1`,
      {},
      z.object({ name: z.string() }),
    );
    expect(attached.map(({ name }) => name)).toEqual(['run_3', 'run_4']);
  });

  test('two readers of one run attach it once, and the first to leave does not take it from the other', async () => {
    const run = await makeRun('run_1', 5);
    const [one, other] = await Promise.all([warehouse.openRun(run), warehouse.openRun(run)]);
    await one.release();
    expect(await other.query(`SELECT * FROM ${other.relation}.mrr_months`, {}, Close)).toEqual([
      { close_minor: 5n },
    ]);
    expect(
      await other.query(`SELECT org_id FROM ${other.facts('billing')}`, {}, z.object({ org_id: z.string() })),
    ).toEqual([{ org_id: 'org_1' }]);
    expect(await other.query(`SELECT id FROM ${other.raw('crm')}`, {}, z.unknown())).toEqual([]);
    await other.release();
  });

  test('a run whose marts are gone is named, and can be opened once they are there', async () => {
    const location = join(root, 'runs', 'run_9');
    await expect(warehouse.openRun({ runId: 'run_9', location })).rejects.toMatchObject({
      code: 'run_not_found',
    });
    const reader = await warehouse.openRun(await makeRun('run_9', 1));
    await reader.release();
  });
});
