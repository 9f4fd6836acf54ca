import { afterEach, beforeEach, expect, test } from 'vitest';
import { knownEnds } from '../../ingest/files/ingest-file.js';
import { rawEvent } from '../../platform/warehouse/warehouse.contract.js';
import { onEachWarehouse, type TestWarehouse } from '../../test/support/warehouses.js';
import { backlogs } from './backlogs.js';

onEachWarehouse('what the status asks', (open) => {
  let opened: TestWarehouse;
  beforeEach(async () => {
    opened = await open();
  });
  afterEach(() => opened.close());

  test('each stream has its rows, and those that no run has seen, over all partitions', async () => {
    const { warehouse } = opened;
    const take = (topicPartition: number, offset: bigint) =>
      warehouse.appendFromLog({
        stream: 'executions',
        topicPartition,
        events: [{ offset, event: rawEvent(`${topicPartition}/${offset}`), recordedAtMicros: 2_000_000n }],
        lastOffset: offset,
      });
    await warehouse.append([rawEvent('by hand')], { recordedAtMicros: 1_000_000n });
    await take(0, 5n);
    await take(3, 1n);
    const seen = await warehouse.positions();
    await take(3, 2n);
    await take(4, 0n);
    const [executions, ...others] = await backlogs(warehouse, seen);
    expect(executions).toEqual({
      stream: 'executions',
      rows: 5n,
      behind: 2n,
      last_recorded_at: '1970-01-01T00:00:02Z',
    });
    for (const other of others) expect(other).toMatchObject({ rows: 0n, behind: 0n, last_recorded_at: null });
    expect((await backlogs(warehouse, null))[0]).toMatchObject({ rows: 5n, behind: 5n });
  });

  test('where files ended is known by the digest of their bytes', async () => {
    const { warehouse } = opened;
    const chunk = (chainDigest: string, offsetBytes: bigint) => ({
      chainDigest,
      offsetBytes,
      sourceName: 'f',
      rows: 1n,
    });
    await warehouse.recordChunk(chunk('a', 100n), 1n);
    await warehouse.append([rawEvent('x')], { recordedAtMicros: 1n, chunk: chunk('b', 100n) });
    await warehouse.recordChunk(chunk('c', 2n ** 40n), 1n);
    expect(await knownEnds(warehouse)).toEqual(
      new Map([
        [100, new Set(['a', 'b'])],
        [2 ** 40, new Set(['c'])],
      ]),
    );
  });
});
