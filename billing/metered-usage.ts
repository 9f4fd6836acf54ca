import { z } from 'zod';
import type { Instant } from '../core/time.js';
import { digestSql } from '../platform/warehouse/digest-sql.js';
import type { RunReader } from '../platform/warehouse/warehouse.js';
import { readLevelEvents, readLevels } from './level-usage.js';
import {
  Bindings,
  MeteredEventRow,
  meteredSql,
  type MeteredEvent,
  type ReadingStretch,
} from './meter-readings.js';

/** A stretch of a line in which its usage is counted. */
export interface UsageWindow extends ReadingStretch {
  readonly lineId: string;
}

export interface WindowTotal {
  readonly windowId: string;
  /** Digits with a fraction; of time-weighted levels the sum of level × microseconds. */
  readonly used: string;
  readonly events: number;
  /** Of which events, whatever their order: core/event-set.ts. Digests of windows without a common event add up. */
  readonly eventDigest: bigint;
}

const Total = z
  .object({
    window_id: z.string(),
    total: z.string(),
    highest: z.string(),
    events: z.bigint(),
    digest: z.string(),
  })
  .transform(({ window_id: windowId, events, digest, ...sums }) => ({
    windowId,
    ...sums,
    events: Number(events),
    eventDigest: BigInt(digest),
  }));

/** Windows by how they are read: quantities put together, values counted once, levels that hold on. */
function byReading(windows: readonly UsageWindow[]) {
  const of = (...aggregations: string[]) =>
    windows.filter(({ meter }) => aggregations.includes(meter.aggregation));
  return {
    quantities: of('count', 'sum', 'max'),
    values: of('unique'),
    levels: of('latest', 'time_weighted'),
  };
}

/**
 * How much each window used; windows without usage are left out. Sums are exact decimals.
 *
 * @param until levels hold until then, where a window is not over
 */
export async function readUsage(
  windows: readonly UsageWindow[],
  run: RunReader,
  until?: Instant,
): Promise<ReadonlyMap<string, WindowTotal>> {
  const begun = windows
    .filter(({ start }) => until === undefined || start < until)
    .map((window) => (until === undefined || window.end <= until ? window : { ...window, end: until }));
  const { quantities, values, levels } = byReading(begun);
  const totals = [
    ...(await readTotals(quantities, run, 'metered')),
    ...(await readTotals(values, run, 'counted')),
    ...(await readLevels(levels, run)),
  ];
  return new Map(totals.map((total) => [total.windowId, total]));
}

/** The events that windows counted, in order of time: what explains a line, and re-rates to it. */
export async function readMeteredEvents(
  windows: readonly UsageWindow[],
  run: RunReader,
): Promise<MeteredEvent[]> {
  const { quantities, values, levels } = byReading(windows);
  return [
    ...(await readEvents(quantities, run, 'metered')),
    ...(await readEvents(values, run, 'counted')),
    ...(await readLevelEvents(levels, run)),
  ];
}

type Counting = 'metered' | 'counted';

/** `counted`: a value puts in 1 where it was seen first in its bucket, in the order of events, and 0 from then on. */
function countingSql(
  windows: readonly UsageWindow[],
  run: RunReader,
  bindings: Bindings,
  counting: Counting,
): string {
  const metered = meteredSql(windows, run, bindings);
  if (counting === 'metered') return metered;
  return `${metered},
    seen as (
      select window_id, source, event_id, metered."at" as at, row_number() over (
        partition by bucket_id, value order by metered."at", source, event_id) as place
      from metered
    ),
    counted as (
      select window_id, source, event_id, seen."at" as at,
        cast(case when place = 1 then 1 else 0 end as decimal(38, 12)) as quantity
      from seen
    )`;
}

async function readTotals(
  windows: readonly UsageWindow[],
  run: RunReader,
  counting: Counting,
): Promise<WindowTotal[]> {
  if (windows.length === 0) return [];
  const bindings = new Bindings();
  const { lineFeed, sumOf } = digestSql(run.dialect);
  const totals = await run.query(
    `${countingSql(windows, run, bindings, counting)}
     select window_id, sum(quantity) as total, max(quantity) as highest, count(*) as events,
       ${sumOf(`source || ${lineFeed} || event_id`)} as digest
     from ${counting} group by window_id`,
    bindings.values,
    Total,
  );
  const highest = new Set(
    windows.filter(({ meter }) => meter.aggregation === 'max').map(({ windowId }) => windowId),
  );
  return totals.map(({ total, highest: most, ...counted }) => ({
    ...counted,
    used: highest.has(counted.windowId) ? most : total,
  }));
}

async function readEvents(
  windows: readonly UsageWindow[],
  run: RunReader,
  counting: Counting,
): Promise<MeteredEvent[]> {
  if (windows.length === 0) return [];
  const bindings = new Bindings();
  return run.query(
    `${countingSql(windows, run, bindings, counting)}
     select window_id, source, event_id, ${counting}."at" as at, quantity
     from ${counting} order by ${counting}."at", source, event_id, window_id`,
    bindings.values,
    MeteredEventRow,
  );
}
