import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { MICROS_PER_DAY, parseInstant } from '../../core/time.js';
import { QuarantineStore } from '../../ingest/quarantine-store.js';
import { openPgliteSql } from '../../platform/sql/pglite-sql.js';
import type { Sql } from '../../platform/sql/sql.js';
import { rawEvent } from '../../platform/warehouse/warehouse.contract.js';
import { onEachWarehouse, type TestWarehouse } from '../../test/support/warehouses.js';
import { freshnessRows, quarantineRows } from './ops-tables.js';

const NOW = parseInstant('2026-06-30T00:00:00Z');
const daysAgo = (days: number): bigint => NOW - BigInt(days) * MICROS_PER_DAY;

onEachWarehouse('freshness', (open) => {
  let opened: TestWarehouse;
  beforeEach(async () => {
    opened = await open();
  });
  afterEach(() => opened.close());

  test('counts what came in over thirty days, what of it was late, and what the run has not seen', async () => {
    const { warehouse } = opened;
    const take = (name: string, happened: bigint, recorded: bigint) =>
      warehouse.append([rawEvent(name, { timeMicros: happened })], { recordedAtMicros: recorded });
    await take('long ago', daysAgo(40), daysAgo(31));
    await take('in time', daysAgo(10), daysAgo(10));
    await take('a day old', daysAgo(6), daysAgo(5));
    const seen = await warehouse.positions();
    await take('late', daysAgo(6) - 1n, daysAgo(5));
    const [executions, installs] = await freshnessRows(warehouse, seen, NOW);
    expect(executions).toEqual(['executions', '3', '1', '2026-06-25T00:00:00Z', '1', '2026-06-30T00:00:00Z']);
    expect(installs).toEqual(['installs', '0', '0', null, '0', '2026-06-30T00:00:00Z']);
  });
});

let sql: Sql;
beforeAll(async () => {
  sql = await openPgliteSql('memory://');
  await sql.migrate();
});
afterAll(() => sql.close());

test('quarantine is counted by reason and status, from when to when', async () => {
  expect(await quarantineRows(sql, NOW)).toEqual([]);
  const refuse = (text: string, code: 'missing_field' | 'unknown_type', at: bigint) =>
    new QuarantineStore(sql).put(
      [
        {
          raw: Buffer.from(text),
          ...{ sourceName: 'http', sourcePosition: '' },
          problems: [{ path: 'type', code, message: 'no' }],
        },
      ],
      at,
    );
  await refuse('{}', 'missing_field', daysAgo(3));
  await refuse('{}', 'missing_field', daysAgo(1));
  await refuse('{"a":1}', 'missing_field', daysAgo(2));
  await refuse('{"type":"x"}', 'unknown_type', daysAgo(2));
  expect(await quarantineRows(sql, NOW)).toEqual([
    [
      'missing_field',
      'open',
      '2',
      '3',
      '2026-06-27T00:00:00Z',
      '2026-06-29T00:00:00Z',
      '2026-06-30T00:00:00Z',
    ],
    [
      'unknown_type',
      'open',
      '1',
      '1',
      '2026-06-28T00:00:00Z',
      '2026-06-28T00:00:00Z',
      '2026-06-30T00:00:00Z',
    ],
  ]);
});
