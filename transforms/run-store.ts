import { and, desc, eq, inArray, lt } from 'drizzle-orm';
import { z } from 'zod';
import { RefusedError } from '../core/errors.js';
import { watermarkJson, type WatermarkVector } from '../core/raw-event.js';
import type { Instant } from '../core/time.js';
import { monthPins, pointers, runHolds, runs } from '../platform/sql/schema.js';
import { transaction, type Sql, type SqlDatabase } from '../platform/sql/sql.js';
import type { RunLocation } from '../platform/warehouse/warehouse.js';

/** A build of the marts, as the `runs` table has it. Times are UTC instants; `asOf` is truncated to the second. */
export interface Run extends RunLocation {
  readonly status: 'building' | 'published' | 'failed' | 'dropped';
  readonly asOf: Instant;
  readonly watermark: WatermarkVector;
  readonly catalogVersion: bigint | null;
  readonly codeRevision: string;
  readonly isIncremental: boolean;
  readonly isHistorical: boolean;
  readonly eventCounts: Readonly<Record<string, number>> | null;
  readonly timings: Readonly<Record<string, number>> | null;
  readonly failure: string | null;
  readonly startedAt: Instant;
  readonly finishedAt: Instant | null;
}

const Positions = z.array(
  z
    .tuple([z.number().int(), z.number().int()])
    .transform(([partition, offset]) => ({ partition, offset: BigInt(offset) })),
);
const StoredWatermark = z.object({
  executions: Positions,
  installs: Positions,
  billing: Positions,
  crm: Positions,
});
const Figures = z.record(z.string(), z.number()).nullable();

function fromRow(row: typeof runs.$inferSelect): Run {
  return {
    ...row,
    watermark: StoredWatermark.parse(row.watermark),
    eventCounts: Figures.parse(row.eventCounts),
    timings: Figures.parse(row.timings),
  };
}

/** Writes down that a run is being built, so that a killed build can be told from one under way. */
export async function beginRun(
  sql: Sql,
  run: Omit<Run, 'status' | 'eventCounts' | 'timings' | 'failure' | 'finishedAt'>,
) {
  await sql.database
    .insert(runs)
    .values({ ...run, watermark: watermarkJson(run.watermark), status: 'building' });
}

export interface Publication {
  readonly finishedAt: Instant;
  readonly eventCounts: Readonly<Record<string, number>>;
  readonly timings: Readonly<Record<string, number>>;
}

/** Throws when this process may not publish any more, because another one builds runs now. */
export type AssertLeader = (database: SqlDatabase) => Promise<void>;

/**
 * Makes a finished run readable, and the current one unless it is historical, in one transaction: readers see all of the new
 * run or all of the old one.
 *
 * @throws RefusedError `conflict` when another process has taken over and closed this build; what `assertLeader` throws
 */
export async function publishRun(
  sql: Sql,
  runId: string,
  publication: Publication,
  assertLeader?: AssertLeader,
): Promise<void> {
  await transaction(sql, async (database) => {
    await assertLeader?.(database);
    const published = await database
      .update(runs)
      .set({ status: 'published', ...publication })
      .where(and(eq(runs.runId, runId), eq(runs.status, 'building')))
      .returning();
    const [run] = published;
    if (run === undefined) {
      throw new RefusedError(
        'conflict',
        `run ${runId} was not published: another process took over and closed it; the previous numbers stay`,
      );
    }
    if (run.isHistorical) return;
    const pointer = { runId, movedAt: publication.finishedAt };
    await database
      .insert(pointers)
      .values({ name: 'current', ...pointer })
      .onConflictDoUpdate({ target: pointers.name, set: pointer });
  });
}

/** Only a run that is still being built can fail: one that was published stays so, whatever went wrong after. */
export async function failRun(sql: Sql, runId: string, failure: string, finishedAt: Instant): Promise<void> {
  await sql.database
    .update(runs)
    .set({ status: 'failed', failure, finishedAt })
    .where(and(eq(runs.runId, runId), eq(runs.status, 'building')));
}

/** The run that the pointer names; null before the first one. Readers resolve it once per request. */
export async function currentRun(sql: Sql): Promise<Run | null> {
  const [row] = await sql.database
    .select({ run: runs })
    .from(pointers)
    .innerJoin(runs, eq(runs.runId, pointers.runId))
    .where(eq(pointers.name, 'current'));
  return row === undefined ? null : fromRow(row.run);
}

/** The newest published run measured exactly as of `asOf`; null when nobody made one. */
export async function runAsOf(sql: Sql, asOf: Instant): Promise<Run | null> {
  const [row] = await sql.database
    .select()
    .from(runs)
    .where(and(eq(runs.status, 'published'), eq(runs.asOf, asOf)))
    .orderBy(desc(runs.startedAt))
    .limit(1);
  return row === undefined ? null : fromRow(row);
}

export async function findRun(sql: Sql, runId: string): Promise<Run | null> {
  const [row] = await sql.database.select().from(runs).where(eq(runs.runId, runId));
  return row === undefined ? null : fromRow(row);
}

/** Newest first; `before` is the run id of the last row of the previous page. */
export async function listRuns(sql: Sql, page: { limit: number; before?: string }): Promise<Run[]> {
  const rows = await sql.database
    .select()
    .from(runs)
    .where(page.before === undefined ? undefined : lt(runs.runId, page.before))
    .orderBy(desc(runs.runId))
    .limit(page.limit);
  return rows.map(fromRow);
}

/** How these runs stand; those that are not in the table are left out. */
export async function runStatuses(
  sql: Sql,
  runIds: readonly string[],
): Promise<ReadonlyMap<string, Run['status']>> {
  if (runIds.length === 0) return new Map();
  const rows = await sql.database
    .select({ runId: runs.runId, status: runs.status })
    .from(runs)
    .where(inArray(runs.runId, [...runIds]));
  return new Map(rows.map(({ runId, status }) => [runId, status]));
}

/** Builds that a killed process left behind: nothing of theirs was ever served. */
export async function abandonedRuns(sql: Sql): Promise<Run[]> {
  const rows = await sql.database.select().from(runs).where(eq(runs.status, 'building'));
  return rows.map(fromRow);
}

/** Published runs beyond the newest `keep`, never the current one or one that a closed month stands on: their files may go. */
export async function surplusRuns(sql: Sql, keep: number): Promise<Run[]> {
  const current = await currentRun(sql);
  const pinned = await sql.database.select({ runId: monthPins.runId }).from(monthPins);
  const held = await sql.database.selectDistinct({ runId: runHolds.runId }).from(runHolds);
  const kept = new Set([current?.runId, ...[...pinned, ...held].map(({ runId }) => runId)]);
  const rows = await sql.database
    .select()
    .from(runs)
    .where(eq(runs.status, 'published'))
    .orderBy(desc(runs.startedAt))
    .offset(keep);
  return rows.map(fromRow).filter(({ runId }) => !kept.has(runId));
}

export async function markDropped(sql: Sql, runIds: readonly string[]): Promise<void> {
  if (runIds.length === 0) return;
  await sql.database
    .update(runs)
    .set({ status: 'dropped' })
    .where(inArray(runs.runId, [...runIds]));
}
