import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { InvariantError, UnavailableError } from '../../core/errors.js';
import type { RawEvent } from '../../core/raw-event.js';
import { LakeFiles } from '../lake-files.js';
import { DuckdbWarehouse } from '../warehouse/duckdb-warehouse.js';
import type { AppendReceipt, Warehouse } from '../warehouse/warehouse.js';
import { DirectLog } from './direct-log.js';
import { eventLogContract, logEvent } from './event-log.contract.js';

eventLogContract('the direct log over DuckDB', async () => {
  const root = mkdtempSync(join(tmpdir(), 'headgate-log-'));
  const warehouse = await DuckdbWarehouse.open(
    {
      file: join(root, 'warehouse.duckdb'),
      temporaryDirectory: join(root, 'tmp'),
      memoryMib: 128,
      threads: 1,
      readConnections: 2,
      checkpointMib: 16,
    },
    new LakeFiles(join(root, 'lake')),
  );
  return {
    open: () => Promise.resolve(new DirectLog(warehouse, { queueLimit: 1000, commitLimit: 500 })),
    durableIds: async () => {
      const rows = await warehouse.query(
        'SELECT id FROM raw_executions ORDER BY log_offset',
        {},
        z.object({ id: z.string() }),
      );
      return rows.map(({ id }) => id);
    },
    dispose: async () => {
      await warehouse.close();
      rmSync(root, { recursive: true });
    },
  };
});

/** A warehouse whose commits the test lets through one by one. */
class SlowWarehouse implements Pick<Warehouse, 'append'> {
  readonly commits: string[][] = [];
  private readonly gates: (() => void)[] = [];
  private next = 1n;

  constructor(private readonly refuse: (events: readonly RawEvent[]) => Error | null = () => null) {}

  async append(events: readonly RawEvent[]): Promise<AppendReceipt> {
    this.commits.push(events.map(({ id }) => id));
    await new Promise<void>((resolve) => this.gates.push(resolve));
    const error = this.refuse(events);
    if (error) throw error;
    const first = this.next;
    this.next += BigInt(events.length);
    return {
      count: events.length,
      first: { partition: 0, offset: first },
      last: { partition: 0, offset: this.next - 1n },
    };
  }

  /** Lets every commit through until the given appends are answered. */
  async answer<Result>(appends: readonly Promise<Result>[]): Promise<PromiseSettledResult<Result>[]> {
    const all = Promise.allSettled(appends);
    const progress = { isDone: false };
    void all.then(() => (progress.isDone = true));
    while (!progress.isDone) {
      this.gates.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    return all;
  }
}

describe('the direct log', () => {
  const options = { queueLimit: 6, commitLimit: 4 };
  const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

  test('what comes in during a commit shares the next one, up to the commit limit', async () => {
    const warehouse = new SlowWarehouse();
    const log = new DirectLog(warehouse, options);
    const first = log.append([logEvent('a')], { recordedAtMicros: 1n });
    await turn();
    const later = ['b', 'c', 'd', 'e', 'f'].map((id) => log.append([logEvent(id)], { recordedAtMicros: 2n }));
    await warehouse.answer([first, ...later]);
    expect(warehouse.commits).toEqual([['a'], ['b', 'c', 'd', 'e'], ['f']]);
  });

  test('a full queue refuses at once, and takes events again when it has drained', async () => {
    const warehouse = new SlowWarehouse();
    const log = new DirectLog(warehouse, options);
    const taken = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) =>
      log.append([logEvent(id)], { recordedAtMicros: 1n }),
    );
    await expect(log.append([logEvent('g')], { recordedAtMicros: 1n })).rejects.toMatchObject({
      code: 'queue_full',
      retryable: true,
      details: { retryAfterSeconds: 1 },
    });
    await warehouse.answer(taken);
    const [again] = await warehouse.answer([log.append([logEvent('g')], { recordedAtMicros: 1n })]);
    expect(again).toMatchObject({ status: 'fulfilled' });
    expect(warehouse.commits.flat()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  });

  test('a batch larger than the queue is taken when nothing waits, for it could never be otherwise', async () => {
    const warehouse = new SlowWarehouse();
    const log = new DirectLog(warehouse, options);
    const big = Array.from({ length: 10 }, (_, index) => logEvent(`evt_${index}`));
    const [outcome] = await warehouse.answer([log.append(big, { recordedAtMicros: 1n })]);
    expect(outcome).toMatchObject({ status: 'fulfilled', value: { count: 10 } });
  });

  test('one request that cannot be written does not fail those it shared a commit with', async () => {
    const warehouse = new SlowWarehouse((events) =>
      events.some(({ id }) => id === 'bad') ? new InvariantError('cannot be written') : null,
    );
    const log = new DirectLog(warehouse, options);
    const outcomes = await warehouse.answer(
      ['a', 'bad', 'c'].map((id) => log.append([logEvent(id)], { recordedAtMicros: 1n })),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  test('a full disk is told to all that shared the commit, once, and they may come back', async () => {
    const warehouse = new SlowWarehouse(() => new UnavailableError('disk_full', 'full'));
    const log = new DirectLog(warehouse, options);
    const outcomes = await warehouse.answer(
      ['a', 'b'].map((id) => log.append([logEvent(id)], { recordedAtMicros: 1n })),
    );
    expect(outcomes).toMatchObject([{ reason: { code: 'disk_full' } }, { reason: { code: 'disk_full' } }]);
    expect(warehouse.commits).toHaveLength(1);
  });
});
