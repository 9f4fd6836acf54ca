import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { hasClickHouse, startClickHouse, type ClickHouse } from '../../test/support/clickhouse.js';
import { SecretText } from '../secrets.js';
import { openClickHouseWarehouse } from './clickhouse-warehouse.js';
import { rawEvent } from './warehouse.contract.js';

const WRITER = fileURLToPath(new URL('./clickhouse-warehouse.killed.ts', import.meta.url));

type Kind = 'own' | 'log';

interface Writer {
  readonly process: ChildProcess;
  readonly answered: string[];
  readonly failures: string[];
  /** Resolves when it has ended. */
  readonly ended: Promise<unknown>;
}

/** @param onAnswer called after each answer, with how many there were */
function startWriter(
  clickHouse: ClickHouse,
  { kind, maximumChunks = 1e5, patience = 3 }: { kind: Kind; maximumChunks?: number; patience?: number },
  onAnswer: (count: number, writer: Writer) => void = () => undefined,
): Writer {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', WRITER, clickHouse.url('faults'), kind, String(maximumChunks), String(patience)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const writer: Writer = { process: child, answered: [], failures: [], ended: once(child, 'close') };
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [outcome, number = '', code = ''] = line.split(' ');
    if (outcome === 'ok') {
      writer.answered.push(number);
      onAnswer(writer.answered.length, writer);
    } else writer.failures.push(code);
  });
  return writer;
}

const Chunk = z.object({ number: z.string(), rows: z.bigint() });
const Position = z.object({ log_partition: z.number(), log_offset: z.bigint(), contents: z.bigint() });

/** How many events of each chunk count, each identity once, up to the positions that a run would be bound to. */
async function counted(clickHouse: ClickHouse): Promise<Map<string, bigint>> {
  const warehouse = await openClickHouseWarehouse({
    url: new SecretText(clickHouse.url('faults')),
    caFile: null,
    timeoutMs: 60_000,
  });
  try {
    const positions = (await warehouse.positions()).executions;
    const within = positions
      .map(({ partition, offset }) => `(log_partition = ${partition} AND log_offset <= ${offset})`)
      .join(' OR ');
    const rows = await warehouse.query(
      `SELECT splitByChar('/', id)[1] AS number, uniqExact(identity) AS rows FROM ${warehouse.rawRows('executions')}
       WHERE ${within || '1 = 0'} GROUP BY number`,
      {},
      Chunk,
    );
    const taken = await warehouse.query(
      `SELECT log_partition, log_offset, uniqExact(identity) AS contents FROM raw_executions
       GROUP BY log_partition, log_offset HAVING contents > 1`,
      {},
      Position,
    );
    // No position was ever given to two events, or a reader would lose one of them.
    expect(taken).toEqual([]);
    return new Map(rows.map(({ number, rows: count }) => [number, count]));
  } finally {
    await warehouse.close();
  }
}

function expectAllCounted(found: ReadonlyMap<string, bigint>, answered: readonly string[]): void {
  for (const number of answered) expect([number, found.get(number)]).toEqual([number, 100n]);
}

/* The server is the real engine behind test/services/clickhouse-shim.ts: killing it kills the engine. */
describe.runIf(hasClickHouse())('faults against the shim', () => {
  let clickHouse: ClickHouse;
  beforeEach(async () => {
    clickHouse = await startClickHouse();
  });
  afterEach(() => clickHouse.stop());

  test.each<[Kind, number]>([
    ['own', 2],
    ['log', 3],
  ])(
    'a writer (%s) killed after answer %i: all that was answered counts, and the next writer goes on',
    async (kind, after) => {
      const killed = startWriter(clickHouse, { kind }, (count, writer) => {
        if (count === after) writer.process.kill('SIGKILL');
      });
      await killed.ended;
      expectAllCounted(await counted(clickHouse), killed.answered);
      // The same chunks again, as whoever had no answer sends them, and some that are new.
      const next = startWriter(clickHouse, { kind, maximumChunks: after + 2 });
      await next.ended;
      expect(next.answered).toHaveLength(after + 2);
      const found = await counted(clickHouse);
      expectAllCounted(found, next.answered);
      expect(found.size).toBe(Math.max(after + 2, killed.answered.length));
    },
  );

  test.each<Kind>(['own', 'log'])(
    'the server killed under a writer (%s): it is told to come back, and goes on when the server does',
    async (kind) => {
      const restarts: Promise<void>[] = [];
      const writer = startWriter(clickHouse, { kind, maximumChunks: 6, patience: 500 }, (count) => {
        if (count === 3) restarts.push(clickHouse.crash().then(() => clickHouse.start()));
      });
      await writer.ended;
      await Promise.all(restarts);
      expect(writer.answered).toHaveLength(6);
      expect(writer.failures.length).toBeGreaterThan(0);
      for (const code of writer.failures) expect(code).toBe('warehouse_unavailable');
      const found = await counted(clickHouse);
      expectAllCounted(found, writer.answered);
      expect(found.size).toBe(6);
    },
  );
});

test.runIf(hasClickHouse())(
  'a full disk of the server is told by name, and what was answered before is there',
  async () => {
    // Room for small parts, not for the ones that a thousand rows of noise would make.
    const clickHouse = await startClickHouse({ fileSizeLimit: 64 });
    try {
      const warehouse = await openClickHouseWarehouse({
        url: new SecretText(clickHouse.url('faults')),
        caFile: null,
        timeoutMs: 60_000,
      });
      const writer = startWriter(clickHouse, { kind: 'own', maximumChunks: 2 });
      await writer.ended;
      expect(writer.answered).toEqual(['0', '1']);
      const noise = () => Array.from({ length: 40 }, () => Math.random().toString(36)).join('');
      const tooMuch = Array.from({ length: 2000 }, (_, index) =>
        rawEvent(`big/${index}`, { data: JSON.stringify(noise()) }),
      );
      await expect(warehouse.append(tooMuch, { recordedAtMicros: 1n })).rejects.toMatchObject({
        code: 'disk_full',
        retryable: true,
        details: { retryAfterSeconds: 30 },
      });
      await warehouse.close();
      expectAllCounted(await counted(clickHouse), writer.answered);
    } finally {
      await clickHouse.stop();
    }
  },
);
