import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { HeadgateError } from '../../core/errors.js';
import type { RawEvent, Stream } from '../../core/raw-event.js';
import { formatInstant } from '../../core/time.js';
import type { AppendReceipt, IngestChunk, LogBatch, Warehouse } from './warehouse.js';

/** One warehouse over a store that outlives it. */
export interface WarehouseUnderTest {
  open(): Promise<Warehouse>;
  dispose(): Promise<void>;
}

const at = (text: string): bigint => BigInt(Date.parse(text)) * 1000n;
const RECORDED = at('2026-02-01T00:00:00Z') + 7n;

export function rawEvent(id: string, changes: Partial<RawEvent> = {}): RawEvent {
  return {
    stream: 'executions',
    source: 'shop',
    id,
    type: 'execution.completed',
    subject: 'org_1',
    timeMicros: at('2026-01-31T23:59:59.999Z') + 999n,
    data: '{"costMicros":9007199254740993}',
    extra: null,
    ...changes,
  };
}

const chunk = (digest: string, rows: bigint): IngestChunk => ({
  chainDigest: digest,
  sourceName: 'events.ndjson',
  offsetBytes: 1000n,
  rows,
});

const StoredRow = z.object({
  log_offset: z.bigint(),
  recorded_at: z.string(),
  id: z.string(),
  identity: z.string(),
  time: z.string(),
  data: z.string(),
  extra: z.string().nullable(),
  raw_hash: z.string(),
});
const Count = z.object({ rows: z.bigint() });

/** What holds for every warehouse, whichever engine is behind it. */
export function warehouseContract(name: string, make: () => Promise<WarehouseUnderTest>): void {
  describe(`${name} as a warehouse`, () => {
    let subject: WarehouseUnderTest;
    let warehouse: Warehouse;
    beforeEach(async () => {
      subject = await make();
      warehouse = await subject.open();
    });
    afterEach(async () => {
      await warehouse.close();
      await subject.dispose();
    });
    const append = (events: RawEvent[], given?: IngestChunk): Promise<AppendReceipt> =>
      warehouse.append(events, { recordedAtMicros: RECORDED, ...(given ? { chunk: given } : {}) });
    const rows = (stream: Stream) =>
      warehouse.query(`SELECT * FROM ${warehouse.rawRows(stream)} ORDER BY log_offset`, {}, StoredRow);
    const reopen = async () => {
      await warehouse.close();
      warehouse = await subject.open();
    };

    test('an appended row is there as given, with its position and both times, and after opening again', async () => {
      await append([
        rawEvent('é😀"\\', { extra: '{"tracestate":"a"}' }),
        rawEvent('evt_2', { stream: 'crm' }),
      ]);
      await reopen();
      const [row] = await rows('executions');
      expect(row).toMatchObject({
        id: 'é😀"\\',
        data: '{"costMicros":9007199254740993}',
        extra: '{"tracestate":"a"}',
        time: '2026-01-31T23:59:59.999999Z',
        recorded_at: '2026-02-01T00:00:00.000007Z',
      });
      expect((await rows('crm')).map(({ id }) => id)).toEqual(['evt_2']);
    });

    test('identity and raw_hash are the md5 that core/identity.ts defines', async () => {
      await append([rawEvent('evt_1', { timeMicros: 5n, data: '{}' })]);
      const [row] = await rows('executions');
      // printf 'shop\nevt_1' | md5sum; printf 'execution.completed\norg_1\n5\n{}' | md5sum
      expect(row?.identity).toBe('682e5ea0ec757a571604e82be48f73d8');
      expect(row?.raw_hash).toBe('645246125b29f76e10a737d52abdb49d');
    });

    test('offsets of one append are consecutive over all streams, in the order given', async () => {
      const receipt = await append([
        rawEvent('a', { stream: 'crm' }),
        rawEvent('b', { stream: 'billing' }),
        rawEvent('c', { stream: 'crm' }),
      ]);
      expect(receipt.count).toBe(3);
      const first = receipt.first?.offset ?? -1n;
      expect(receipt.last?.offset).toBe(first + 2n);
      expect((await rows('crm')).map(({ log_offset }) => log_offset - first)).toEqual([0n, 2n]);
      expect((await rows('billing')).map(({ log_offset }) => log_offset - first)).toEqual([1n]);
    });

    test('positions rise with every append, are exact, and are the same after opening again', async () => {
      const first = await append([rawEvent('a'), rawEvent('b', { stream: 'installs' })]);
      const second = await append([rawEvent('c')]);
      const expected = {
        executions: [second.last],
        installs: [first.last],
        billing: [],
        crm: [],
      };
      expect(await warehouse.positions()).toEqual(expected);
      await reopen();
      expect(await warehouse.positions()).toEqual(expected);
      const third = await append([rawEvent('d')]);
      expect(third.first?.offset).toBeGreaterThan(second.last?.offset ?? -1n);
    });

    test('it is a plain append: the same event twice is two rows', async () => {
      await append([rawEvent('a')]);
      await append([rawEvent('a')]);
      expect(await rows('executions')).toHaveLength(2);
    });

    test('a chunk commits with its rows, and one that was taken in appends nothing', async () => {
      await append([rawEvent('a')], chunk('digest_1', 1n));
      const again = await append([rawEvent('a')], chunk('digest_1', 1n));
      expect(again).toEqual({ count: 0, first: null, last: null });
      expect(await rows('executions')).toHaveLength(1);
      expect(await warehouse.findChunk('digest_1')).toEqual(chunk('digest_1', 1n));
      expect(await warehouse.findChunk('digest_2')).toBeNull();
    });

    test('a chunk without a good row is remembered too', async () => {
      await append([], chunk('all_bad', 0n));
      expect(await warehouse.findChunk('all_bad')).not.toBeNull();
    });

    test('a chunk that went through a log is known afterwards; noted twice it is there once', async () => {
      await warehouse.recordChunk(chunk('digest_1', 7n), RECORDED);
      await warehouse.recordChunk(chunk('digest_1', 7n), RECORDED);
      expect(await warehouse.findChunk('digest_1')).toEqual(chunk('digest_1', 7n));
      expect(await append([rawEvent('a')], chunk('digest_1', 7n))).toMatchObject({ count: 0 });
    });

    describe('what a consumer read', () => {
      const batch = (ids: Readonly<Record<number, string>>, changes: Partial<LogBatch> = {}): LogBatch => ({
        stream: 'executions',
        topicPartition: 0,
        events: Object.entries(ids).map(([offset, id]) => ({
          offset: BigInt(offset),
          event: rawEvent(id, changes.stream ? { stream: changes.stream } : {}),
          recordedAtMicros: RECORDED,
        })),
        lastOffset: BigInt(Object.keys(ids).at(-1) ?? 0),
        ...changes,
      });
      const ids = async (stream: Stream): Promise<string[]> =>
        (await rows(stream)).map(({ id }) => id).sort();

      test('the same messages again count once, whole or in part, also after opening again', async () => {
        await warehouse.appendFromLog(batch({ 0: 'a', 1: 'b', 2: 'c' }));
        await warehouse.appendFromLog(batch({ 0: 'a', 1: 'b', 2: 'c' }));
        await reopen();
        await warehouse.appendFromLog(batch({ 1: 'b', 2: 'c', 3: 'd' }));
        expect(await ids('executions')).toEqual(['a', 'b', 'c', 'd']);
        const [row] = await rows('executions');
        expect(row).toMatchObject({ recorded_at: '2026-02-01T00:00:00.000007Z' });
      });

      test('each keeps the time at which it was recorded', async () => {
        const { events, ...rest } = batch({ 0: 'a', 1: 'b', 2: 'c' });
        const times = [9n, 7n, 8n].map((micros) => RECORDED + micros);
        await warehouse.appendFromLog({
          ...rest,
          events: events.map((event, index) => ({ ...event, recordedAtMicros: times[index] ?? 0n })),
        });
        const expected = times.map((micros) => formatInstant(micros));
        expect((await rows('executions')).map(({ recorded_at }) => recorded_at)).toEqual(expected);
      });

      test('offsets with gaps between them, and messages without an event, are taken care of', async () => {
        await warehouse.appendFromLog(batch({ 5: 'a', 9: 'b' }, { lastOffset: 12n }));
        await warehouse.appendFromLog(batch({}, { lastOffset: 20n }));
        await warehouse.appendFromLog(batch({ 40: 'c' }));
        expect(await ids('executions')).toEqual(['a', 'b', 'c']);
      });

      test('one offset in two partitions, and in two streams, is two events', async () => {
        await warehouse.appendFromLog(batch({ 0: 'a' }));
        await warehouse.appendFromLog(batch({ 0: 'b' }, { topicPartition: 1 }));
        await warehouse.appendFromLog(batch({ 0: 'c' }, { stream: 'crm' }));
        expect(await ids('executions')).toEqual(['a', 'b']);
        expect(await ids('crm')).toEqual(['c']);
      });

      test('positions rise with it and never fall, so that a run sees what came before it and no more', async () => {
        const positionsOf = async () => (await warehouse.positions()).executions;
        const within = async (positions: Awaited<ReturnType<typeof positionsOf>>): Promise<bigint> => {
          const counts = positions.map(
            ({ partition, offset }) => `log_partition = ${partition} AND log_offset <= ${offset}`,
          );
          const [count] = await warehouse.query(
            `SELECT count(*) AS rows FROM ${warehouse.rawRows('executions')} WHERE ${counts.map((one) => `(${one})`).join(' OR ')}`,
            {},
            Count,
          );
          return count?.rows ?? -1n;
        };
        await warehouse.appendFromLog(batch({ 0: 'a', 1: 'b' }));
        await warehouse.appendFromLog(batch({ 0: 'c' }, { topicPartition: 7 }));
        const before = await positionsOf();
        await warehouse.appendFromLog(batch({ 2: 'd' }));
        await warehouse.appendFromLog(batch({ 0: 'a' }));
        expect(await within(before)).toBe(3n);
        expect(await within(await positionsOf())).toBe(4n);
      });

      test('progress of each partition is the furthest that was taken in, also after opening again', async () => {
        await append([rawEvent('not from a topic')]);
        expect(await warehouse.topicProgress()).toEqual([]);
        await warehouse.appendFromLog(batch({ 0: 'a', 1: 'b' }, { lastOffset: 4n }));
        await warehouse.appendFromLog(batch({ 0: 'a' }));
        await warehouse.appendFromLog(batch({ 0: 'c' }, { stream: 'crm', topicPartition: 1003 }));
        await reopen();
        const progress = await warehouse.topicProgress();
        expect(progress).toHaveLength(2);
        expect(progress).toContainEqual({ stream: 'executions', topicPartition: 0, lastOffset: 4n });
        expect(progress).toContainEqual({ stream: 'crm', topicPartition: 1003, lastOffset: 0n });
      });

      test('batches of many partitions at once all arrive', async () => {
        await Promise.all(
          Array.from({ length: 8 }, (_, topicPartition) =>
            warehouse.appendFromLog(
              batch({ 0: `${topicPartition}a`, 1: `${topicPartition}b` }, { topicPartition }),
            ),
          ),
        );
        expect(await ids('executions')).toHaveLength(16);
      });
    });

    test('concurrent appends each stay together', async () => {
      const receipts = await Promise.all(
        Array.from({ length: 20 }, (_, index) => append([rawEvent(`${index}a`), rawEvent(`${index}b`)])),
      );
      const byOffset = new Map((await rows('executions')).map((row) => [row.log_offset, row.id]));
      receipts.forEach((receipt, index) => {
        expect(byOffset.get(receipt.first?.offset ?? -1n)).toBe(`${index}a`);
        expect(byOffset.get(receipt.last?.offset ?? -1n)).toBe(`${index}b`);
      });
    });

    test('parameters arrive whole: quotes are text, integers beyond 2^53 keep their last digit', async () => {
      await append([rawEvent(`it's`)]);
      const from = `FROM ${warehouse.rawRows('executions')} WHERE id = $id`;
      expect(await warehouse.query(`SELECT count(*) AS rows ${from}`, { id: `it's` }, Count)).toEqual([
        { rows: 1n },
      ]);
      expect(
        await warehouse.query('SELECT $big + 0 AS rows', { big: 9_007_199_254_740_993n }, Count),
      ).toEqual([{ rows: 9_007_199_254_740_993n }]);
    });

    test('a row that does not fit its schema is an error, not a cast', async () => {
      await expect(warehouse.query(`SELECT 'x' AS rows`, {}, Count)).rejects.toMatchObject({
        code: 'invariant_broken',
      });
    });

    test('a stream yields every row in order, and may be left early', async () => {
      await append(Array.from({ length: 5000 }, (_, index) => rawEvent(`evt_${index}`)));
      const sql = `SELECT count(*) OVER () AS rows FROM ${warehouse.rawRows('executions')}`;
      let seen = 0;
      for await (const batch of warehouse.stream(sql, {}, Count)) seen += batch.length;
      expect(seen).toBe(5000);
      for await (const batch of warehouse.stream(sql, {}, Count)) {
        expect(batch[0]).toEqual({ rows: 5000n });
        break;
      }
      expect(await warehouse.query('SELECT 1::BIGINT AS rows', {}, Count)).toEqual([{ rows: 1n }]);
    });

    test('a stream that breaks off is an error, not a shorter stream', async () => {
      const sql = {
        duckdb: `SELECT CASE WHEN range = 900000 THEN error('far')::BIGINT ELSE range END AS rows FROM range(1000000)`,
        clickhouse: `SELECT toInt64(number) + throwIf(number = 900000, 'far') AS rows FROM numbers(1000000) SETTINGS max_block_size = 1000, max_threads = 1`,
      }[warehouse.dialect];
      const readAll = async (): Promise<void> => {
        for await (const batch of warehouse.stream(sql, {}, Count)) expect(batch.length).toBeGreaterThan(0);
      };
      await expect(readAll()).rejects.toBeInstanceOf(HeadgateError);
      expect(await warehouse.query('SELECT 1::BIGINT AS rows', {}, Count)).toEqual([{ rows: 1n }]);
    });

    test('after closing it refuses, and closing twice is closing once', async () => {
      await warehouse.close();
      await warehouse.close();
      await expect(warehouse.query('SELECT 1 AS rows', {}, Count)).rejects.toMatchObject({ retryable: true });
      await expect(append([rawEvent('a')])).rejects.toMatchObject({ code: 'shutting_down' });
    });
  });
}
