import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { UnavailableError } from '../../core/errors.js';
import { OWN_PARTITION, STREAMS, type RawEvent, type Stream } from '../../core/raw-event.js';
import { formatInstant } from '../../core/time.js';
import type { ClickHouseConnection } from './clickhouse-connection.js';
import { encodedRows, SENT_COLUMNS, type PlacedRow } from './clickhouse-rows.js';
import { rawTable } from './raw-tables.js';
import { Turnstile } from './turnstile.js';
import type { AppendReceipt, IngestChunk } from './warehouse.js';

/** Reserved at once, so that reserving is rare; what a process leaves of its block stays unused. */
const BLOCK_OFFSETS = 1_000_000n;
const RESERVATION_ATTEMPTS = 20;

const Last = z.object({ last: z.bigint().nullable() });
const Count = z.object({ rows: z.bigint() });

/** Inserts rows of one stream. When it returns they are on the server's disk. */
export async function insertRows(
  connection: ClickHouseConnection,
  stream: Stream,
  rows: readonly PlacedRow[],
  queryId?: string,
): Promise<void> {
  if (rows.length > 0) await connection.insert(rawTable(stream), SENT_COLUMNS, encodedRows(rows), queryId);
}

/** How far each stream's log has been taken in. A lower one after a higher one changes nothing. */
export async function insertProgress(
  connection: ClickHouseConnection,
  progress: readonly { stream: Stream; partition: number; lastOffset: bigint; recordedAtMicros: bigint }[],
): Promise<void> {
  await connection.insertObjects(
    'log_progress',
    progress.map(({ stream, partition, lastOffset, recordedAtMicros }) => ({
      stream,
      log_partition: partition,
      last_offset: lastOffset.toString(),
      recorded_at: sqlInstant(recordedAtMicros),
    })),
  );
}

export async function insertChunk(
  connection: ClickHouseConnection,
  { chainDigest, sourceName, offsetBytes, rows }: IngestChunk,
  recordedAtMicros: bigint,
): Promise<void> {
  await connection.insertObjects('ingest_chunks', [
    {
      chain_digest: chainDigest,
      source_name: sourceName,
      offset_bytes: offsetBytes.toString(),
      rows: rows.toString(),
      recorded_at: sqlInstant(recordedAtMicros),
    },
  ]);
}

function sqlInstant(micros: bigint): string {
  return formatInstant(micros).replace('T', ' ').replace('Z', '');
}

/**
 * The log of a company that has ClickHouse but no Kafka: partition 0, one writer, one ascending sequence over all streams.
 *
 * An insert whose answer was lost may still happen. So its offsets are never used again, and before the next insert it is ended on the
 * server: a row that came to stand below a watermark that runs were bound to already would be missed by them.
 */
export class OwnLog {
  private readonly turnstile = new Turnstile();
  private next = 1n;
  private blockEnd = 0n;
  private readonly unsettled = new Set<string>();
  /** Names this writer's inserts on the server. */
  private readonly writer = randomUUID();
  private insertCount = 0;
  private isFirst = true;

  constructor(private readonly connection: ClickHouseConnection) {}

  /** @param isTakenIn looked at inside the turnstile; then nothing is appended */
  append(
    events: readonly RawEvent[],
    recordedAtMicros: bigint,
    { chunk, isTakenIn }: { chunk: IngestChunk | undefined; isTakenIn: () => Promise<boolean> },
  ): Promise<AppendReceipt | null> {
    return this.turnstile.enter(async () => {
      await this.settle();
      if (await isTakenIn()) return null;
      const first = await this.take(BigInt(events.length));
      const placed = events.map((event, index) => ({
        partition: OWN_PARTITION,
        offset: first + BigInt(index),
        recordedAtMicros,
        event,
      }));
      await this.write(placed, recordedAtMicros);
      if (chunk) await insertChunk(this.connection, chunk, recordedAtMicros);
      return {
        count: events.length,
        first: events.length === 0 ? null : { partition: OWN_PARTITION, offset: first },
        last:
          events.length === 0
            ? null
            : { partition: OWN_PARTITION, offset: first + BigInt(events.length - 1) },
      };
    });
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    await this.turnstile.enter(() => Promise.resolve());
  }

  private async write(placed: readonly PlacedRow[], recordedAtMicros: bigint): Promise<void> {
    const byStream = STREAMS.map((stream) => ({
      stream,
      rows: placed.filter(({ event }) => event.stream === stream),
    })).filter(({ rows }) => rows.length > 0);
    if (byStream.length === 0) return;
    await allSettled(byStream.map(({ stream, rows }) => this.insert(stream, rows)));
    await insertProgress(
      this.connection,
      byStream.map(({ stream, rows }) => ({
        stream,
        partition: OWN_PARTITION,
        lastOffset: rows.at(-1)?.offset ?? 0n,
        recordedAtMicros,
      })),
    );
  }

  private async insert(stream: Stream, rows: readonly PlacedRow[]): Promise<void> {
    const queryId = `${QUERY_PREFIX}${this.connection.target.database}-${this.writer}-${this.insertCount}`;
    this.insertCount += 1;
    this.unsettled.add(queryId);
    await insertRows(this.connection, stream, rows, queryId);
    this.unsettled.delete(queryId);
  }

  /** Ends, on the server, inserts whose outcome nobody knows: at first those of whoever wrote before this process. */
  private async settle(): Promise<void> {
    if (this.isFirst) {
      const mine = `${QUERY_PREFIX}${this.connection.target.database}-`;
      await this.connection.command('KILL QUERY WHERE startsWith(query_id, $mine) SYNC', { mine });
      this.isFirst = false;
    }
    for (const queryId of [...this.unsettled]) {
      await this.connection.command('KILL QUERY WHERE query_id = $queryId SYNC', { queryId });
      this.unsettled.delete(queryId);
    }
  }

  private async take(count: bigint): Promise<bigint> {
    if (this.next + count - 1n > this.blockEnd)
      await this.reserve(count > BLOCK_OFFSETS ? count : BLOCK_OFFSETS);
    const first = this.next;
    this.next += count;
    return first;
  }

  /**
   * Reserves offsets that nobody else has: after writing down a block one looks whether another wrote one that is not below it. Of two
   * that do so at once, at least one sees the other, and goes further up.
   */
  private async reserve(count: bigint): Promise<void> {
    for (let attempt = 0; attempt < RESERVATION_ATTEMPTS; attempt += 1) {
      const first = (await this.highest()) + 1n;
      const last = first + count - 1n;
      await this.connection.insertObjects('offset_blocks', [
        { first_offset: first.toString(), last_offset: last.toString(), writer: this.writer },
      ]);
      const [others] = await this.connection.query(
        'SELECT count() AS rows FROM offset_blocks WHERE last_offset >= $first AND (writer, first_offset) <> ($writer, $first)',
        { first, writer: this.writer },
        Count,
      );
      if (others?.rows === 0n) {
        this.next = first;
        this.blockEnd = last;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 100));
    }
    throw new UnavailableError(
      'warehouse_unavailable',
      'another process writes to this warehouse without a log between; set KAFKA_BROKERS to have several writers',
      { details: { retryAfterSeconds: 5 } },
    );
  }

  /** Of partition 0: what was reserved, and what somebody copied in. */
  private async highest(): Promise<bigint> {
    const tables = STREAMS.map(
      (stream) =>
        `SELECT max(log_offset) AS last FROM ${rawTable(stream)} WHERE log_partition = ${OWN_PARTITION}`,
    );
    const [row] = await this.connection.query(
      `SELECT max(last) AS last FROM (${tables.join(' UNION ALL ')}
         UNION ALL SELECT max(last_offset) AS last FROM log_progress WHERE log_partition = ${OWN_PARTITION}
         UNION ALL SELECT max(last_offset) AS last FROM offset_blocks)`,
      {},
      Last,
    );
    return row?.last ?? 0n;
  }
}

const QUERY_PREFIX = 'headgate-append-';

/** As Promise.all, but nothing is under way any more when it rejects. */
async function allSettled(work: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(work);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}
