import { and, asc, count, eq, gt, lt, or, sql as sqlText, type SQL } from 'drizzle-orm';
import { z } from 'zod';
import { compareText } from '../core/compare.js';
import { InputError, RefusedError } from '../core/errors.js';
import type { EventProblem } from '../core/events/problems.js';
import { derivedId } from '../core/ids.js';
import { formatInstant, parseInstant, type Instant } from '../core/time.js';
import { quarantine } from '../platform/sql/schema.js';
import { Lease } from '../platform/sql/lease.js';
import { transaction, type Sql } from '../platform/sql/sql.js';
import { sha256 } from '../platform/sha256.js';

/** An event that did not pass, with where it came from. */
export interface Refusal {
  readonly raw: Uint8Array;
  /** `http`, or a file's name. */
  readonly sourceName: string;
  /** `line 12` of a file; '' over HTTP, where the same bytes again only raise the count. */
  readonly sourcePosition: string;
  readonly problems: readonly [EventProblem, ...EventProblem[]];
}

export const QUARANTINE_STATUSES = ['open', 'fixed', 'discarded'] as const;
export type QuarantineStatus = (typeof QUARANTINE_STATUSES)[number];

const Problems = z.array(z.object({ path: z.string(), code: z.string(), message: z.string() }));

export interface QuarantinedEvent {
  readonly quarantineId: string;
  readonly status: QuarantineStatus;
  /** Code of the first problem. */
  readonly reason: string;
  readonly path: string;
  readonly message: string;
  readonly problems: z.infer<typeof Problems>;
  readonly sourceName: string;
  readonly sourcePosition: string;
  readonly raw: Uint8Array;
  readonly count: number;
  readonly firstSeenAt: Instant;
  readonly lastSeenAt: Instant;
  readonly resolvedAt: Instant | null;
  readonly resolvedBy: string | null;
}

export interface QuarantineFilter {
  readonly status?: QuarantineStatus;
  readonly reason?: string;
  readonly sourceName?: string;
}

export interface QuarantinePage {
  readonly events: readonly QuarantinedEvent[];
  /** Give it back as `cursor` for the page after this one; null on the last page. */
  readonly nextCursor: string | null;
}

export interface Resolution {
  readonly status: 'fixed' | 'discarded';
  readonly fixedRaw?: Uint8Array;
}

/** Closes the case that is being decided. */
export type Resolve = (resolution: Resolution, now: Instant) => Promise<void>;

/** Of a process that was killed while it decided: after this another may. */
const DECIDED_WITHIN_MS = 15_000;
/** Rows in one statement; nine parameters each. */
const BATCH = 500;
/** The table behind quarantine. What may be done with an event in it is in quarantine.ts. */
export class QuarantineStore {
  constructor(private readonly sql: Sql) {}

  /** Keeps each with its bytes; one that is there already (a retry) is found again. Returns their ids, in order. */
  async put(refusals: readonly Refusal[], now: Instant): Promise<string[]> {
    const rows = refusals.map((refusal) => rowOf(refusal, now));
    for (let start = 0; start < rows.length; start += BATCH) {
      const batch = new Map<string, (typeof rows)[number]>();
      // One statement can't touch a row twice: the same bad event twice in a batch is one row, counted twice.
      for (const row of rows.slice(start, start + BATCH)) {
        const twin = batch.get(row.quarantineId);
        batch.set(row.quarantineId, twin && isCounted(row) ? { ...twin, count: twin.count + 1 } : row);
      }
      await this.sql.database
        .insert(quarantine)
        // Sorted, since two processes that touch the same rows in different orders would wait for each other.
        .values([...batch.values()].sort((a, b) => compareText(a.quarantineId, b.quarantineId)))
        .onConflictDoUpdate({
          target: [quarantine.rawDigest, quarantine.sourceName, quarantine.sourcePosition],
          set: {
            // A file's line has a place of its own: seeing it again is a retry, not another event.
            count: sqlText`case when excluded.source_position = '' then ${quarantine.count} + excluded.count else ${quarantine.count} end`,
            lastSeenAt: sqlText`greatest(${quarantine.lastSeenAt}, excluded.last_seen_at)`,
          },
        });
    }
    return rows.map((row) => row.quarantineId);
  }

  /** Drops what holds one of the texts, in whichever state it is. Returns how many. */
  async dropWith(texts: readonly string[]): Promise<number> {
    let dropped = 0;
    for (const text of texts) {
      const bytes = sqlText`${Buffer.from(text)}::bytea`;
      const gone = await this.sql.database
        .delete(quarantine)
        .where(
          or(
            sqlText`position(${bytes} in ${quarantine.raw}) > 0`,
            sqlText`position(${bytes} in ${quarantine.fixedRaw}) > 0`,
          ),
        )
        .returning({ id: quarantine.quarantineId });
      dropped += gone.length;
    }
    return dropped;
  }

  /** @throws InputError `quarantine_not_found` */
  async get(quarantineId: string): Promise<QuarantinedEvent> {
    const [row] = await this.sql.database
      .select()
      .from(quarantine)
      .where(eq(quarantine.quarantineId, quarantineId));
    if (!row) {
      throw new InputError('quarantine_not_found', `quarantine: there is no event ${quarantineId} in it`, {
        status: 404,
      });
    }
    return eventOf(row);
  }

  /** Oldest first, in pages by key: rows that come meanwhile neither shift nor repeat what is listed. */
  async list(
    filter: QuarantineFilter,
    { cursor, limit }: { cursor?: string | undefined; limit: number },
  ): Promise<QuarantinePage> {
    const rows = await this.sql.database
      .select()
      .from(quarantine)
      .where(and(...conditionsOf(filter), cursor === undefined ? undefined : after(cursor)))
      .orderBy(asc(quarantine.firstSeenAt), asc(quarantine.quarantineId))
      .limit(limit + 1);
    const events = rows.slice(0, limit).map(eventOf);
    const last = events.at(-1);
    const nextCursor = rows.length > limit && last ? cursorOf(last) : null;
    return { events, nextCursor };
  }

  async count(filter: QuarantineFilter): Promise<number> {
    const [row] = await this.sql.database
      .select({ count: count() })
      .from(quarantine)
      .where(and(...conditionsOf(filter)));
    return row?.count ?? 0;
  }

  /**
   * An open event, for whoever decides on it: nobody else, in whichever process, does meanwhile. A decision of a process that was paused
   * for longer than the others wait is refused.
   *
   * @throws RefusedError `conflict` when it is decided already, or somebody is deciding
   */
  async decide<Result>(
    quarantineId: string,
    by: string,
    work: (quarantined: QuarantinedEvent, resolve: Resolve) => Promise<Result>,
  ): Promise<Result> {
    const lease = await Lease.acquire(this.sql, {
      name: `quarantine ${quarantineId}`,
      holder: by,
      ttlMs: DECIDED_WITHIN_MS,
    });
    if (lease === null) {
      throw new RefusedError('conflict', `quarantine ${quarantineId}: somebody is deciding on it just now`, {
        details: { retryAfterSeconds: 1 },
      });
    }
    try {
      const quarantined = await this.get(quarantineId);
      if (quarantined.status !== 'open') {
        throw new RefusedError('conflict', `quarantine ${quarantineId}: is ${quarantined.status} already`);
      }
      return await work(quarantined, (resolution, now) =>
        this.resolve(lease, quarantineId, { ...resolution, by }, now),
      );
    } finally {
      await lease.release();
    }
  }

  /** Retention: what was last seen before `before` goes, resolved or not, with the personal data in it. */
  async forget(before: Instant): Promise<number> {
    const gone = await this.sql.database
      .delete(quarantine)
      .where(lt(quarantine.lastSeenAt, before))
      .returning({ quarantineId: quarantine.quarantineId });
    return gone.length;
  }

  private async resolve(
    lease: Lease,
    quarantineId: string,
    { status, by, fixedRaw }: Resolution & { by: string },
    now: Instant,
  ): Promise<void> {
    await transaction(this.sql, async (database) => {
      await lease.assertHeld(database);
      await database
        .update(quarantine)
        .set({ status, resolvedAt: now, resolvedBy: by, ...(fixedRaw === undefined ? {} : { fixedRaw }) })
        .where(and(eq(quarantine.quarantineId, quarantineId), eq(quarantine.status, 'open')));
    });
  }
}

function rowOf({ raw, sourceName, sourcePosition, problems }: Refusal, now: Instant) {
  const rawDigest = sha256(raw);
  const [first] = problems;
  return {
    quarantineId: derivedId('qrn', [rawDigest, sourceName, sourcePosition], sha256),
    rawDigest,
    sourceName,
    sourcePosition,
    raw,
    reason: first.code,
    path: first.path,
    message: first.message,
    problems,
    count: 1,
    status: 'open' as const,
    firstSeenAt: now,
    lastSeenAt: now,
  };
}

function isCounted({ sourcePosition }: { sourcePosition: string }): boolean {
  return sourcePosition === '';
}

function eventOf(row: typeof quarantine.$inferSelect): QuarantinedEvent {
  return { ...row, raw: new Uint8Array(row.raw), problems: Problems.parse(row.problems) };
}

function conditionsOf({ status, reason, sourceName }: QuarantineFilter): (SQL | undefined)[] {
  return [
    status === undefined ? undefined : eq(quarantine.status, status),
    reason === undefined ? undefined : eq(quarantine.reason, reason),
    sourceName === undefined ? undefined : eq(quarantine.sourceName, sourceName),
  ];
}

function cursorOf({ firstSeenAt, quarantineId }: QuarantinedEvent): string {
  return Buffer.from(`${formatInstant(firstSeenAt)} ${quarantineId}`).toString('base64url');
}

function after(cursor: string): SQL | undefined {
  const [at = '', id = ''] = Buffer.from(cursor, 'base64url').toString('utf8').split(' ');
  if (!/^qrn_[0-9a-f]+$/.test(id)) {
    throw new InputError(
      'invalid_cursor',
      'the cursor is not one that a list gave; leave it out to start over',
    );
  }
  const instant = parseInstant(at);
  return or(
    gt(quarantine.firstSeenAt, instant),
    and(eq(quarantine.firstSeenAt, instant), gt(quarantine.quarantineId, id)),
  );
}
