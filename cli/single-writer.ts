import { UnavailableError } from '../core/errors.js';
import type { ChunkLog } from '../ingest/files/chunk-log.js';
import type { EventLog } from '../platform/log/event-log.js';
import { Lease } from '../platform/sql/lease.js';
import type { Sql } from '../platform/sql/sql.js';

const LEASE = 'direct-log';
const TTL_MS = 30_000;
const RETRY_AFTER_SECONDS = 30;

/**
 * Without Kafka, one process at a time may append to a warehouse that several share: the first that does, until it ends. The others
 * answer that, and how to have several.
 */
export class SingleWriter {
  private lease: Lease | null = null;
  private asking: Promise<void> | null = null;

  constructor(
    private readonly sql: Sql,
    private readonly holder: string,
    private readonly beginWriting: () => void,
  ) {}

  log(inner: EventLog): EventLog {
    return {
      append: async (events, options) => {
        await this.require();
        return inner.append(events, options);
      },
      close: () => inner.close(),
    };
  }

  chunkLog(inner: ChunkLog): ChunkLog {
    return {
      append: async (...args) => {
        await this.require();
        await inner.append(...args);
      },
    };
  }

  async release(): Promise<void> {
    await this.lease?.release();
  }

  /** @throws UnavailableError `log_unavailable` while another process writes */
  private async require(): Promise<void> {
    if (this.lease?.isHeld === true) return;
    this.asking ??= this.acquire().finally(() => {
      this.asking = null;
    });
    await this.asking;
  }

  private async acquire(): Promise<void> {
    const lease = await Lease.acquire(this.sql, { name: LEASE, holder: this.holder, ttlMs: TTL_MS });
    if (lease === null) {
      const other = await Lease.holderOf(this.sql, LEASE);
      throw new UnavailableError(
        'log_unavailable',
        `events: ${other?.holder ?? 'another process'} writes to this warehouse, and without a log between only one may; ` +
          'send them there, or set KAFKA_BROKERS to have several writers',
        { details: { retryAfterSeconds: RETRY_AFTER_SECONDS } },
      );
    }
    this.beginWriting();
    this.lease = lease;
  }
}
