import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { hasClickHouse, startClickHouse, type ClickHouse } from '../../test/support/clickhouse.js';
import { openTestDuckdb, type TestWarehouse } from '../../test/support/warehouses.js';
import type { RawEvent } from '../../core/raw-event.js';
import { SecretText } from '../secrets.js';
import { openClickHouseWarehouse, type ClickHouseWarehouse } from '../warehouse/clickhouse-warehouse.js';
import type { DuckdbWarehouse } from '../warehouse/duckdb-warehouse.js';
import { copyRawRows } from './copy-raw.js';

const DAY_MICROS = 86_400_000_000n;
const START = 1_767_225_599_999_999n; // one microsecond before 2026

/** Texts that a careless way through another format would bend. */
const TEXTS = ['plain', 'a\nb', 'tab\t', 'quote \' and "', 'back\\slash', '日本 🎉', '\\N', 'NULL', ' '];

function event(index: number): RawEvent {
  const text = TEXTS[index % TEXTS.length] ?? '';
  return {
    stream: index % 3 === 0 ? 'billing' : 'executions',
    source: `/app/${text}`,
    id: `evt_${index}`,
    type: 'execution.completed',
    subject: `org_${index % 7}`,
    timeMicros: START + (BigInt(index) * DAY_MICROS) / 4n,
    data: JSON.stringify({ text, costMicros: '9007199254740993' }),
    extra: index % 2 === 0 ? null : JSON.stringify({ traceparent: text }),
  };
}

describe.runIf(hasClickHouse())('copying the embedded log into ClickHouse', () => {
  const root = mkdtempSync(join(tmpdir(), 'headgate-copy-'));
  let server: ClickHouse;
  let opened: TestWarehouse<DuckdbWarehouse>;
  let source: DuckdbWarehouse;
  let target: ClickHouseWarehouse;
  const progress: string[] = [];

  beforeAll(async () => {
    server = await startClickHouse();
    target = await openClickHouseWarehouse({
      url: new SecretText(`http://127.0.0.1:${server.port}/copied`),
      caFile: null,
      timeoutMs: 60_000,
    });
    opened = await openTestDuckdb();
    source = opened.warehouse;
    const events = Array.from({ length: 100 }, (_, index) => event(index));
    await source.append(events, { recordedAtMicros: START + 5n });
  });
  afterAll(async () => {
    await opened.close();
    await target.close();
    await server.stop();
    rmSync(root, { recursive: true, force: true });
  });

  const copy = () =>
    copyRawRows(source, target, {
      temporaryDirectory: root,
      now: START,
      onProgress: (message) => progress.push(message),
    });
  const Row = z.record(z.string(), z.unknown());
  const rowsOf = (warehouse: DuckdbWarehouse | ClickHouseWarehouse, relation: string) =>
    warehouse.query(
      `SELECT log_partition, log_offset, recorded_at, source, id, identity, type, subject, time, data, extra, raw_hash
       FROM ${relation} AS raw ORDER BY log_offset`,
      {},
      Row,
    );

  test('every row arrives as it was, with its position, and counts from then on', async () => {
    const report = await copy();
    expect(report.map(({ stream, rows }) => [stream, rows])).toEqual([
      ['executions', 66n],
      ['installs', 0n],
      ['billing', 34n],
      ['crm', 0n],
    ]);
    for (const stream of ['executions', 'billing'] as const) {
      expect(await rowsOf(target, target.rawRows(stream))).toEqual(await rowsOf(source, `raw_${stream}`));
    }
    expect(await target.positions()).toEqual(await source.positions());
  });

  test('a second copy copies nothing', async () => {
    progress.length = 0;
    expect((await copy()).map(({ copiedDays }) => copiedDays)).toEqual([0, 0, 0, 0]);
    expect(progress).toEqual([]);
  });

  test('what is new, and a day of which only a part had arrived, goes over; other days are left alone', async () => {
    await source.append([event(0), event(300)], { recordedAtMicros: START + 9n });
    const report = await copy();
    expect(report.find(({ stream }) => stream === 'billing')).toMatchObject({ rows: 36n, copiedDays: 2 });
    expect(await rowsOf(target, target.rawRows('billing'))).toEqual(await rowsOf(source, 'raw_billing'));
  });
});
