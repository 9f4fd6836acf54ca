import { count, max, min, sum } from 'drizzle-orm';
import { z } from 'zod';
import type { WatermarkVector } from '../../core/raw-event.js';
import { formatInstant, MICROS_PER_DAY, type Instant } from '../../core/time.js';
import { quarantine } from '../../platform/sql/schema.js';
import type { Sql } from '../../platform/sql/sql.js';
import { castText } from '../../platform/warehouse/cast-text.js';
import { rawTable } from '../../platform/warehouse/raw-tables.js';
import type { SuppliedValue } from '../../platform/warehouse/supplied-table.js';
import type { Warehouse } from '../../platform/warehouse/warehouse.js';
import { backlogs } from '../system/backlogs.js';
import type { Supplier } from './supplier.js';

/** So many days are looked through: what came in before was looked at before. */
const LOOKED_AT = 30n * MICROS_PER_DAY;

/** How what comes in fares, as it is now. */
export const OPS_TABLES: Readonly<Record<string, Supplier>> = {
  ops_quarantine: {
    columns: {
      ...{ reason: 'text', status: 'text', entries: 'bigint', events: 'bigint' },
      ...{ first_seen_at: 'instant', last_seen_at: 'instant', as_of: 'instant' },
    },
    rows: ({ services: { sql }, now }) => quarantineRows(sql, now),
  },
  ops_freshness: {
    columns: {
      ...{ stream: 'text', events_30d: 'bigint', late_30d: 'bigint', last_recorded_at: 'instant' },
      ...{ not_in_run: 'bigint', as_of: 'instant' },
    },
    rows: ({ run, services: { warehouse }, now }) => freshnessRows(warehouse, run?.watermark ?? null, now),
  },
};

/** `events`: the same bytes again over HTTP are one entry, counted again. */
export async function quarantineRows({ database }: Sql, now: Instant): Promise<SuppliedValue[][]> {
  const rows = await database
    .select({
      reason: quarantine.reason,
      status: quarantine.status,
      entries: count(),
      events: sum(quarantine.count),
      first: min(quarantine.firstSeenAt),
      last: max(quarantine.lastSeenAt),
    })
    .from(quarantine)
    .groupBy(quarantine.reason, quarantine.status)
    .orderBy(quarantine.reason, quarantine.status);
  return rows.map(({ reason, status, entries, events, first, last }) => [
    ...[reason, status, String(entries), events],
    ...[first, last, now].map((at) => (at === null ? null : formatInstant(at))),
  ]);
}

const Recent = z.object({ events: z.bigint(), late: z.bigint() });

/** Late: it came in more than a day after it happened. */
export async function freshnessRows(
  warehouse: Warehouse,
  watermark: WatermarkVector | null,
  now: Instant,
): Promise<SuppliedValue[][]> {
  const since = castText(warehouse.dialect, '$since', 'timestamp');
  const held = await backlogs(warehouse, watermark);
  return Promise.all(
    held.map(async ({ stream, behind, last_recorded_at: last }) => {
      const [recent] = await warehouse.query(
        `select count(*) as events, count(*) filter (where recorded_at > time + interval 1 day) as late
         from ${rawTable(stream)} where recorded_at >= ${since}`,
        { since: formatInstant(now - LOOKED_AT) },
        Recent,
      );
      const { events, late } = recent ?? { events: 0n, late: 0n };
      return [stream, String(events), String(late), last, String(behind), formatInstant(now)];
    }),
  );
}
