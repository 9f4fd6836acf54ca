import { setTimeout as delay } from 'node:timers/promises';
import { and, eq, sql as sqlText, type SQL } from 'drizzle-orm';
import { UnavailableError } from '../../core/errors.js';
import { knownError } from '../known-error.js';
import { leases } from './schema.js';
import type { Sql, SqlDatabase } from './sql.js';

export interface LeaseRequest {
  /** What only one may do at a time: `scheduler`. */
  readonly name: string;
  /** For people who ask who has it. */
  readonly holder: string;
  /** How long after its last sign of life another may take over. */
  readonly ttlMs: number;
}

export interface LeaseHolder {
  readonly holder: string;
  readonly expiresInMs: number;
}

/** Signs of life within the time of a lease: one may fail. */
const RENEWALS = 3;

/**
 * The right to do what only one process may do at a time, kept alive in the background. Its time is the database's: no clock of ours
 * decides anything. A process that was paused finds out late that it lost it, so what it does must ask `assertHeld` in the same
 * transaction.
 */
export class Lease {
  private state: 'held' | 'lost' | 'released' = 'held';
  private readonly end = new AbortController();
  private timers: NodeJS.Timeout[] = [];
  /** By this process's monotonic clock, from before the database was asked: never later than the end that the database knows. */
  private heldUntilMs = 0;

  private constructor(
    private readonly sql: Sql,
    private readonly request: LeaseRequest,
    /** Another with every acquisition, ever higher. */
    readonly epoch: bigint,
    askedAtMs: number,
  ) {
    this.keepUntil(askedAtMs + request.ttlMs);
  }

  /** Null while somebody else has it. */
  static async acquire(sql: Sql, request: LeaseRequest): Promise<Lease | null> {
    const askedAtMs = performance.now();
    const taken = { holder: request.holder, expiresAt: fromNow(request.ttlMs) };
    const [row] = await sql.database
      .insert(leases)
      .values({ ...taken, name: request.name, epoch: sqlText`nextval('lease_epochs')` })
      .onConflictDoUpdate({
        target: leases.name,
        set: { ...taken, epoch: sqlText`excluded.epoch` },
        setWhere: sqlText`${leases.expiresAt} <= clock_timestamp()`,
      })
      .returning({ epoch: leases.epoch });
    return row === undefined ? null : new Lease(sql, request, row.epoch, askedAtMs);
  }

  /** Waits for its turn; null when `signal` ends the waiting. A database that is away is waited for as well. */
  static async wait(sql: Sql, request: LeaseRequest, signal: AbortSignal): Promise<Lease | null> {
    while (!signal.aborted) {
      try {
        const lease = await Lease.acquire(sql, request);
        if (lease !== null) return lease;
      } catch (error) {
        if (!(knownError(error) instanceof UnavailableError)) throw error;
      }
      await delay(request.ttlMs / RENEWALS, undefined, { signal }).catch(() => undefined);
    }
    return null;
  }

  /** Who has a lease now; null when nobody does. */
  static async holderOf(sql: Sql, name: string): Promise<LeaseHolder | null> {
    const remaining = sqlText`extract(epoch from ${leases.expiresAt} - clock_timestamp()) * 1000`;
    const [row] = await sql.database
      .select({ holder: leases.holder, expiresInMs: remaining.mapWith(Number) })
      .from(leases)
      .where(and(eq(leases.name, name), sqlText`${leases.expiresAt} > clock_timestamp()`));
    return row ?? null;
  }

  /** Aborted when the lease is lost: what it allowed should stop. */
  get lost(): AbortSignal {
    return this.end.signal;
  }

  /** As far as this process can tell by itself. */
  get isHeld(): boolean {
    return this.state === 'held' && performance.now() < this.heldUntilMs;
  }

  /**
   * The fence, for inside the transaction that only the holder may make: until that ends, nobody else can take the lease.
   *
   * @throws UnavailableError `lease_lost`
   */
  async assertHeld(database: SqlDatabase): Promise<void> {
    const mine = await database.select().from(leases).where(this.isMine()).for('share');
    if (mine.length > 0) return;
    this.lose();
    const { name, ttlMs } = this.request;
    throw new UnavailableError(
      'lease_lost',
      `lease ${name}: this process was away for more than ${ttlMs / 1000} s, and its work passes to another; nothing was changed`,
      { details: { retryAfterSeconds: 1 } },
    );
  }

  /** The next one may have it at once, or when its time is up, where the database can't be told. */
  async release(): Promise<void> {
    if (this.state === 'held') this.state = 'released';
    this.stopTimers();
    await this.sql.database
      .delete(leases)
      .where(this.isMine())
      .catch(() => undefined);
  }

  private async renew(): Promise<void> {
    const askedAtMs = performance.now();
    const { ttlMs } = this.request;
    try {
      const mine = await this.sql.database
        .update(leases)
        .set({ expiresAt: fromNow(ttlMs) })
        .where(this.isMine())
        .returning({ epoch: leases.epoch });
      if (mine.length === 0) this.lose();
      else this.keepUntil(askedAtMs + ttlMs);
    } catch {
      // The database may be back before the time is up.
      this.later(ttlMs / RENEWALS / 2, () => void this.renew());
    }
  }

  private keepUntil(untilMs: number): void {
    this.stopTimers();
    this.heldUntilMs = untilMs;
    this.later(untilMs - performance.now(), () => {
      this.lose();
    });
    this.later(this.request.ttlMs / RENEWALS, () => void this.renew());
  }

  private lose(): void {
    if (this.state !== 'held') return;
    this.state = 'lost';
    this.stopTimers();
    this.end.abort();
  }

  private later(ms: number, work: () => void): void {
    if (this.state === 'held') this.timers.push(setTimeout(work, ms).unref());
  }

  private stopTimers(): void {
    for (const timer of this.timers.splice(0)) clearTimeout(timer);
  }

  private isMine(): SQL | undefined {
    return and(eq(leases.name, this.request.name), eq(leases.epoch, this.epoch));
  }
}

function fromNow(ms: number): SQL {
  return sqlText`clock_timestamp() + make_interval(secs => ${ms / 1000}::float8)`;
}
