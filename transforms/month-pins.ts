import { eq } from 'drizzle-orm';
import { RefusedError } from '../core/errors.js';
import { formatInstant, type Instant } from '../core/time.js';
import { monthPins } from '../platform/sql/schema.js';
import type { Sql } from '../platform/sql/sql.js';
import type { Run } from './run-store.js';

/** A month that finance closed, with the run whose numbers were final then. */
export interface MonthPin {
  /** The month's first day, YYYY-MM-DD. */
  readonly month: string;
  readonly runId: string;
  readonly closedAt: Instant;
  readonly closedBy: string;
}

/**
 * Closes a month on a run: what later runs say about it is an adjustment from then on, never a silent change.
 *
 * @param month its first day, YYYY-MM-DD
 * @param monthEnd the first instant after it
 * @throws RefusedError `conflict` when the run measured before the month was over, `already_exists` when it is closed on another run
 */
export async function closeMonth(
  sql: Sql,
  { month, monthEnd, run, by }: { month: string; monthEnd: Instant; run: Run; by: string },
  now: Instant,
): Promise<MonthPin> {
  const name = month.slice(0, 7);
  if (run.asOf < monthEnd) {
    throw new RefusedError(
      'conflict',
      `${name} can't be closed on run ${run.runId}: it measured as of ${formatInstant(run.asOf)}, and the month ends ` +
        `${formatInstant(monthEnd)}; run headgate transform after that`,
    );
  }
  await sql.database
    .insert(monthPins)
    .values({ month, runId: run.runId, closedAt: now, closedBy: by })
    .onConflictDoNothing();
  const [pin] = await sql.database.select().from(monthPins).where(eq(monthPins.month, month));
  if (pin?.runId === run.runId) return pin;
  throw new RefusedError(
    'already_exists',
    `${name} was closed on run ${pin?.runId ?? ''} at ${pin === undefined ? '' : formatInstant(pin.closedAt)} by ` +
      `${pin?.closedBy ?? ''}; a closed month stays closed, and what changed since shows as an adjustment`,
  );
}
