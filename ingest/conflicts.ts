import { and, asc, eq, gt, ne, or } from 'drizzle-orm';
import { InputError } from '../core/errors.js';
import { derivedId } from '../core/ids.js';
import type { LogPosition, WatermarkVector } from '../core/raw-event.js';
import { formatInstant, parseInstant, type Instant } from '../core/time.js';
import type { AuditLog } from '../platform/audit-log.js';
import { conflicts } from '../platform/sql/schema.js';
import { transaction, type Sql } from '../platform/sql/sql.js';
import type { Warehouse } from '../platform/warehouse/warehouse.js';
import { findConflicts, type FindKnown, type FoundConflict } from './find-conflicts.js';
import { sha256 } from '../platform/sha256.js';

export type Conflict = typeof conflicts.$inferSelect;
export type ConflictStatus = Conflict['status'];
export type ConflictDecision = NonNullable<Conflict['decision']>;

export interface ConflictPage {
  readonly conflicts: readonly Conflict[];
  readonly nextCursor: string | null;
}

/** Which arrival of a conflicting identity stands: the rows of `conflict_decisions`. */
export interface StandingArrival {
  readonly stream: string;
  readonly identity: string;
  readonly logPartition: number;
  readonly logOffset: bigint;
}

const BATCH = 1000;
/**
 * Reports what arrived above `from` with another's identity and other content. Reporting twice changes nothing.
 * Until somebody decides, the one that was recorded first stands.
 *
 * @returns how many conflicts were found that were not known
 */
export async function reportConflicts(
  { sql, warehouse }: { sql: Sql; warehouse: Warehouse },
  range: { from: WatermarkVector | null; to: WatermarkVector },
  now: Instant,
): Promise<number> {
  let count = 0;
  let batch: FoundConflict[] = [];
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await insertConflicts(sql, batch, now);
    count += batch.length;
    batch = [];
  };
  for await (const found of findConflicts(warehouse, range, knownIn(sql))) {
    batch.push(found);
    if (batch.length === BATCH) await flush();
  }
  await flush();
  return count;
}

/** Which arrival of an identity stands is kept, once a conflict of it was reported. */
function knownIn(sql: Sql): FindKnown {
  return async (stream, identity) => {
    const rows = await sql.database
      .select()
      .from(conflicts)
      .where(and(eq(conflicts.stream, stream), eq(conflicts.identity, identity)));
    const [row] = rows;
    if (!row) return null;
    return {
      first: { partition: row.firstPartition, offset: row.firstOffset },
      others: rows.map(({ otherPartition: partition, otherOffset: offset }) => ({ partition, offset })),
    };
  };
}

/** Oldest first, in pages by key. */
export async function listConflicts(
  sql: Sql,
  { status, cursor, limit }: { status?: ConflictStatus; cursor?: string | undefined; limit: number },
): Promise<ConflictPage> {
  const rows = await sql.database
    .select()
    .from(conflicts)
    .where(
      and(
        status === undefined ? undefined : eq(conflicts.status, status),
        cursor === undefined ? undefined : after(cursor),
      ),
    )
    .orderBy(asc(conflicts.foundAt), asc(conflicts.conflictId))
    .limit(limit + 1);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { conflicts: page, nextCursor: rows.length > limit && last ? cursorOf(last) : null };
}

/** @throws InputError `not_found` */
export async function getConflict(sql: Sql, conflictId: string): Promise<Conflict> {
  const [row] = await sql.database.select().from(conflicts).where(eq(conflicts.conflictId, conflictId));
  if (row) return row;
  throw new InputError('not_found', `conflicts: there is no ${conflictId}`, { status: 404 });
}

/**
 * Says which of the two stands, from the next run on and for ever (or until decided otherwise). One identity has
 * one standing arrival: choosing another one takes back an earlier choice among its conflicts.
 */
export async function decideConflict(
  { sql, audit }: { sql: Sql; audit: AuditLog },
  conflictId: string,
  { decision, actor, reason }: { decision: ConflictDecision; actor: string; reason: string },
  now: Instant,
): Promise<Conflict> {
  const { stream, identity } = await getConflict(sql, conflictId);
  const decided = { status: 'decided', decidedBy: actor, decidedAt: now } as const;
  await transaction(sql, async (database) => {
    // Two decisions on one identity come one after the other, or both of theirs would stand.
    await database
      .select({ conflictId: conflicts.conflictId })
      .from(conflicts)
      .where(and(eq(conflicts.stream, stream), eq(conflicts.identity, identity)))
      .orderBy(asc(conflicts.conflictId))
      .for('update');
    if (decision === 'other') {
      await database
        .update(conflicts)
        .set({ ...decided, decision: 'first' })
        .where(
          and(
            eq(conflicts.stream, stream),
            eq(conflicts.identity, identity),
            eq(conflicts.decision, 'other'),
            ne(conflicts.conflictId, conflictId),
          ),
        );
    }
    await database
      .update(conflicts)
      .set({ ...decided, decision })
      .where(eq(conflicts.conflictId, conflictId));
  });
  await audit.append(
    { actor, action: 'conflict.decide', target: conflictId, details: { decision, reason, stream, identity } },
    now,
  );
  return getConflict(sql, conflictId);
}

/** For the runs, of every identity with a conflict: the chosen arrival, else the first, whatever arrives later and wherever it lies. */
export async function standingArrivals(sql: Sql): Promise<StandingArrival[]> {
  const found = await sql.database
    .select()
    .from(conflicts)
    .orderBy(
      asc(conflicts.stream),
      asc(conflicts.identity),
      asc(conflicts.otherPartition),
      asc(conflicts.otherOffset),
    );
  const standing = new Map<string, StandingArrival>();
  for (const conflict of found) {
    const key = `${conflict.stream} ${conflict.identity}`;
    if (standing.has(key) && conflict.decision !== 'other') continue;
    standing.set(key, standingOf(conflict));
  }
  return [...standing.values()];
}

function standingOf(conflict: Conflict): StandingArrival {
  const { stream, identity } = conflict;
  return conflict.decision === 'other'
    ? { stream, identity, logPartition: conflict.otherPartition, logOffset: conflict.otherOffset }
    : { stream, identity, logPartition: conflict.firstPartition, logOffset: conflict.firstOffset };
}

async function insertConflicts(sql: Sql, found: readonly FoundConflict[], now: Instant): Promise<void> {
  await sql.database
    .insert(conflicts)
    .values(
      found.map(({ first, other, ...event }) => ({
        ...event,
        conflictId: derivedId('cfl', [event.stream, event.identity, ...placeOf(other)], sha256),
        firstPartition: first.partition,
        firstOffset: first.offset,
        otherPartition: other.partition,
        otherOffset: other.offset,
        status: 'open' as const,
        foundAt: now,
      })),
    )
    .onConflictDoNothing();
}

/** Of an id: those that an embedded company has already name no partition. */
function placeOf({ partition, offset }: LogPosition): string[] {
  return partition === 0 ? [offset.toString()] : [offset.toString(), partition.toString()];
}

function cursorOf({ foundAt, conflictId }: Conflict): string {
  return Buffer.from(`${formatInstant(foundAt)} ${conflictId}`).toString('base64url');
}

function after(cursor: string) {
  const [at = '', id = ''] = Buffer.from(cursor, 'base64url').toString('utf8').split(' ');
  if (!/^cfl_[0-9a-f]+$/.test(id)) {
    throw new InputError(
      'invalid_cursor',
      'the cursor is not one that a list gave; leave it out to start over',
    );
  }
  const instant = parseInstant(at);
  return or(
    gt(conflicts.foundAt, instant),
    and(eq(conflicts.foundAt, instant), gt(conflicts.conflictId, id)),
  );
}
