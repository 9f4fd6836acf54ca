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

/** A warehouse into which a test puts arrivals wherever it likes in the log, each recorded after the one before it. */
interface Engine extends TestWarehouse {
  place(
    topicPartition: number,
    offset: number,
    id: string,
    data: string,
    recordedAtMicros?: bigint,
  ): Promise<void>;
}

/** With Kafka, DuckDB has a sequence of its own; several partitions come to it with history that was copied. */
function placingInto(opened: TestWarehouse): Engine {
  const { warehouse } = opened;
  let placed = 1_000n;
  const place: Engine['place'] = async (
    topicPartition,
    offset,
    id,
    data,
    recordedAtMicros = (placed += 1n),
  ) => {
    const event = rawEvent(id, { data });
    if (!(warehouse instanceof DuckdbWarehouse)) {
      const events = [{ offset: BigInt(offset), event, recordedAtMicros }];
      await warehouse.appendFromLog({
        stream: 'executions',
        topicPartition,
        events,
        lastOffset: BigInt(offset),
      });
      return;
    }
    await warehouse.append([event], { recordedAtMicros });
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

  /** What stands, by topic partition and offset. */
  const standing = async (): Promise<string[]> =>
    (await standingArrivals(sql)).map(
      ({ logPartition, logOffset }) => `${logPartition - FIRST_TOPIC_PARTITION}:${logOffset}`,
    );

  test('the one that was recorded first stands, whatever its partition and offset, and whichever was read first', async () => {
    await engine.place(1, 900, 'a', '{"n":2}', 8n);
    await engine.place(2, 901, 'a', '{"n":1}', 7n);
    await engine.place(0, 1, 'a', '{"n":2}', 9n);
    await engine.place(3, 5, 'alone', '{"n":2}');
    expect(await report(null, upTo({ 0: 1, 1: 900, 2: 901, 3: 5 }))).toBe(1);
    expect(await listed()).toEqual(['2:901 < 1:900']);
    expect(await standing()).toEqual(['2:901']);
  });

  test('of those that were recorded at one time, the first in the log stands', async () => {
    await engine.place(2, 1, 'a', '{"n":1}', 7n);
    await engine.place(1, 901, 'a', '{"n":3}', 7n);
    await engine.place(1, 900, 'a', '{"n":2}', 7n);
    expect(await report(null, upTo({ 1: 901, 2: 1 }))).toBe(2);
    expect(await listed()).toEqual(['1:900 < 1:901', '1:900 < 2:1']);
    expect(await standing()).toEqual(['1:900']);
  });

  test('what is above the watermark is not seen, and what stood below it goes on standing', async () => {
    await engine.place(2, 1, 'a', '{"n":1}', 8n);
    await engine.place(1, 1, 'a', '{"n":2}', 7n);
    expect(await report(null, upTo({ 2: 1 }))).toBe(0);
    expect(await report(upTo({ 2: 1 }), upTo({ 1: 1, 2: 1 }))).toBe(1);
    expect(await listed()).toEqual(['2:1 < 1:1']);
    // A run that takes what was recorded first would now measure another event than the one before it did.
    expect(await standing()).toEqual(['2:1']);
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
      expect(await standing()).toEqual([`${partition}:1`]);
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
