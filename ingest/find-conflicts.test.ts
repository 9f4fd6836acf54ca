import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { FIRST_TOPIC_PARTITION, type WatermarkVector } from '../core/raw-event.js';
import { AuditLog } from '../platform/audit-log.js';
import { openPgliteSql } from '../platform/sql/pglite-sql.js';
import { conflicts } from '../platform/sql/schema.js';
import type { Sql } from '../platform/sql/sql.js';
import { DuckdbWarehouse } from '../platform/warehouse/duckdb-warehouse.js';
import { rawEvent } from '../platform/warehouse/warehouse.contract.js';
import { NOW } from '../test/ingest-services.js';
import { onEachWarehouse, type TestWarehouse } from '../test/support/warehouses.js';
import { decideConflict, listConflicts, reportConflicts, standingArrivals } from './conflicts.js';

/** A warehouse into which a test puts arrivals wherever it likes in the log. */
interface Engine extends TestWarehouse {
  place(topicPartition: number, offset: number, id: string, data: string): Promise<void>;
}

/** With Kafka, DuckDB has a sequence of its own; several partitions come to it with history that was copied. */
function placingInto(opened: TestWarehouse): Engine {
  const { warehouse } = opened;
  const place: Engine['place'] = async (topicPartition, offset, id, data) => {
    const event = rawEvent(id, { data });
    if (!(warehouse instanceof DuckdbWarehouse)) {
      const events = [{ offset: BigInt(offset), event, recordedAtMicros: 1n }];
      await warehouse.appendFromLog({
        stream: 'executions',
        topicPartition,
        events,
        lastOffset: BigInt(offset),
      });
      return;
    }
    await warehouse.append([event], { recordedAtMicros: 1n });
    await warehouse.run(
      `UPDATE raw_executions SET log_partition = $partition, log_offset = $offset WHERE log_partition = 0`,
      { partition: FIRST_TOPIC_PARTITION + topicPartition, offset },
    );
  };
  return { ...opened, place };
}

const upTo = (offsets: Readonly<Record<number, number>>): WatermarkVector => ({
  executions: Object.entries(offsets).map(([partition, offset]) => ({
    partition: FIRST_TOPIC_PARTITION + Number(partition),
    offset: BigInt(offset),
  })),
  installs: [],
  billing: [],
  crm: [],
});

onEachWarehouse('conflicts over several partitions', (open) => {
  let engine: Engine;
  let sql: Sql;
  beforeAll(async () => {
    sql = await openPgliteSql('memory://');
    await sql.migrate();
  });
  afterAll(() => sql.close());
  beforeEach(async () => {
    engine = placingInto(await open());
  });
  afterEach(async () => {
    await engine.close();
    await sql.database.delete(conflicts);
  });
  const report = (from: WatermarkVector | null, to: WatermarkVector) =>
    reportConflicts({ sql, warehouse: engine.warehouse }, { from, to }, NOW);
  /** Each conflict as "first < other", by topic partition and offset. */
  const listed = async (): Promise<string[]> => {
    const page = await listConflicts(sql, { limit: 100 });
    const place = (partition: number, offset: bigint) => `${partition - FIRST_TOPIC_PARTITION}:${offset}`;
    return page.conflicts
      .map(
        (one) =>
          `${place(one.firstPartition, one.firstOffset)} < ${place(one.otherPartition, one.otherOffset)}`,
      )
      .sort();
  };

  test('the first in the log is the one in the lowest partition, whatever the offsets', async () => {
    await engine.place(2, 1, 'a', '{"n":1}');
    await engine.place(1, 900, 'a', '{"n":2}');
    await engine.place(3, 5, 'alone', '{"n":2}');
    expect(await report(null, upTo({ 1: 900, 2: 1, 3: 5 }))).toBe(1);
    expect(await listed()).toEqual(['1:900 < 2:1']);
    expect(await standingArrivals(sql)).toEqual([]);
  });

  test('what is above the watermark is not seen, and what stood below it goes on standing', async () => {
    await engine.place(2, 1, 'a', '{"n":1}');
    await engine.place(1, 1, 'a', '{"n":2}');
    expect(await report(null, upTo({ 2: 1 }))).toBe(0);
    expect(await report(upTo({ 2: 1 }), upTo({ 1: 1, 2: 1 }))).toBe(1);
    expect(await listed()).toEqual(['2:1 < 1:1']);
    // A run that takes the first in the log would now measure another event than the one before it did.
    expect(await standingArrivals(sql)).toEqual([
      expect.objectContaining({ logPartition: FIRST_TOPIC_PARTITION + 2, logOffset: 1n }),
    ]);
  });

  test('a look at everything again reports nothing twice and turns nothing round', async () => {
    await engine.place(2, 1, 'a', '{"n":1}');
    await engine.place(1, 1, 'a', '{"n":2}');
    await report(upTo({ 2: 1 }), upTo({ 1: 1, 2: 1 }));
    await engine.place(0, 1, 'a', '{"n":3}');
    await engine.place(0, 2, 'a', '{ "n": 1.0 }');
    await engine.place(0, 3, 'a', '{"n":2}');
    await report(null, upTo({ 0: 3, 1: 1, 2: 1 }));
    expect(await listed()).toEqual(['2:1 < 0:1', '2:1 < 1:1']);
    await report(upTo({ 1: 1, 2: 1 }), upTo({ 0: 3, 1: 1, 2: 1 }));
    expect(await listed()).toEqual(['2:1 < 0:1', '2:1 < 1:1']);
  });

  test('a decision beats what stood without one', async () => {
    await engine.place(2, 1, 'a', '{"n":1}');
    await engine.place(1, 1, 'a', '{"n":2}');
    await report(upTo({ 2: 1 }), upTo({ 1: 1, 2: 1 }));
    const [conflict] = (await listConflicts(sql, { limit: 1 })).conflicts;
    const audit = new AuditLog(sql);
    for (const [decision, partition] of [
      ['other', 1],
      ['first', 2],
    ] as const) {
      await decideConflict(
        { sql, audit },
        conflict?.conflictId ?? '',
        { decision, actor: 'somebody', reason: 'asked' },
        NOW,
      );
      expect(await standingArrivals(sql)).toEqual([
        expect.objectContaining({ logPartition: FIRST_TOPIC_PARTITION + partition }),
      ]);
    }
  });

  test('the same message twice in the tables is no conflict, nor is one content in three partitions', async () => {
    await engine.place(1, 1, 'a', '{"n":1}');
    await engine.place(1, 1, 'a', '{"n":1}');
    await engine.place(0, 4, 'a', '{"n":1.0}');
    await engine.place(2, 4, 'a', '{ "n":1}');
    expect(await report(null, upTo({ 0: 4, 1: 1, 2: 4 }))).toBe(0);
  });
});
