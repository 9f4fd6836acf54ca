import { z } from 'zod';
import { addDecimals, decimalOf, formatDecimal, type Decimal } from '../core/decimal.js';
import { MICROS_PER_DAY, parseInstant, type Instant } from '../core/time.js';
import { digestSql } from '../platform/warehouse/digest-sql.js';
import type { RunReader } from '../platform/warehouse/warehouse.js';
import { meteredDialect, type ColumnType } from './metered-dialect.js';
import {
  Bindings,
  MeteredEventRow,
  meteredSql,
  timestamp,
  type MeteredEvent,
  type ReadingStretch,
} from './meter-readings.js';
import type { UsageWindow, WindowTotal } from './metered-usage.js';

/*
 * Levels (seats, storage) hold until they are told otherwise, also from before the stretch that is asked about. `latest` is the level
 * in which a line's last window ends; `time_weighted` is the sum of level × time.
 */

/** One timeline of levels: of a line, as long as the same events count. Its windows lie in it. */
interface Track extends ReadingStretch {
  readonly windows: readonly UsageWindow[];
}

/** The level that a track begins with. */
const Carried = z.object({
  window_id: z.string(),
  source: z.string(),
  event_id: z.string(),
  at: z.string(),
  quantity: z.string(),
});
type Carried = z.infer<typeof Carried>;

/** How far back a level is looked for at first, and then; at last everywhere. */
const LOOK_BACK_MICROS = [35n * MICROS_PER_DAY, 400n * MICROS_PER_DAY, null] as const;

const Total = z.object({
  window_id: z.string(),
  level: z.string(),
  whole_micros: z.string(),
  fraction_micros: z.string(),
  events: z.bigint(),
  digest: z.string(),
});

/** How much each window held; an event that holds in several windows of a line is counted in the first. */
export async function readLevels(windows: readonly UsageWindow[], run: RunReader): Promise<WindowTotal[]> {
  const bindings = new Bindings();
  const held = await heldSql(windows, run, bindings);
  if (held === null) return [];
  const dialect = meteredDialect(run.dialect);
  const { lineFeed, sumOf } = digestSql(run.dialect);
  const micros = dialect.microsBetween('from_at', 'to_at');
  const totals = await run.query(
    `${held}
     select window_id, max(quantity) as level,
       ${dialect.asText(`sum(${dialect.wholeOf('quantity')} * ${micros})`)} as whole_micros,
       ${dialect.asText(`sum(${dialect.fractionOf('quantity')} * ${micros})`)} as fraction_micros,
       cast(sum(case when place = 1 then 1 else 0 end) as bigint) as events,
       coalesce(${sumOf(`case when place = 1 then source || ${lineFeed} || event_id end`)}, '0') as digest
     from placed group by window_id`,
    bindings.values,
    Total,
  );
  const latest = new Set(windows.filter(isLatest).map(({ windowId }) => windowId));
  return totals.map((row) => ({
    windowId: row.window_id,
    used: latest.has(row.window_id) ? row.level : formatDecimal(timesMicros(row)),
    events: Number(row.events),
    eventDigest: BigInt(row.digest),
  }));
}

/** The events behind these levels, each once, with the level that it told. */
export async function readLevelEvents(
  windows: readonly UsageWindow[],
  run: RunReader,
): Promise<MeteredEvent[]> {
  const bindings = new Bindings();
  const held = await heldSql(windows, run, bindings);
  if (held === null) return [];
  return run.query(
    `${held}
     select window_id, source, event_id, placed."at" as at, quantity
     from placed where place = 1 order by placed."at", source, event_id, window_id`,
    bindings.values,
    MeteredEventRow,
  );
}

/** In two integers, because their sum has more digits than a decimal of the engines. */
function timesMicros(row: z.infer<typeof Total>): Decimal {
  const fraction = { unscaled: BigInt(row.fraction_micros), scale: 12 };
  return addDecimals(decimalOf(BigInt(row.whole_micros)), fraction);
}

function isLatest({ meter }: UsageWindow): boolean {
  return meter.aggregation === 'latest';
}

const CARRIED: Readonly<Record<string, ColumnType>> = {
  ...{ window_id: 'text', source: 'text', event_id: 'text', at: 'instant', quantity: 'text' },
};
const SPANS: Readonly<Record<string, ColumnType>> = {
  ...{ track_id: 'text', window_id: 'text', line_id: 'text' },
  ...{ starts_at: 'instant', ends_at: 'instant', is_latest: 'boolean' },
};

/** CTEs whose last is `placed`: which event's level held in which window, from when to when. Null: nothing is asked. */
async function heldSql(
  windows: readonly UsageWindow[],
  run: RunReader,
  bindings: Bindings,
): Promise<string | null> {
  const tracks = tracksOf(lastOfLatest(windows));
  if (tracks.length === 0) return null;
  const dialect = meteredDialect(run.dialect);
  const carried = (await readCarried(tracks, run)).map((row) => ({
    ...row,
    at: timestamp(parseInstant(row.at)),
  }));
  const spans = tracks.flatMap((track) =>
    track.windows.map((window) => ({
      track_id: track.windowId,
      window_id: window.windowId,
      line_id: window.lineId,
      starts_at: timestamp(window.start),
      ends_at: timestamp(window.end),
      is_latest: isLatest(window),
    })),
  );
  // One engine makes nothing, not even columns, of no rows.
  const carriedSql =
    carried.length === 0
      ? ''
      : `union all
      select window_id as track_id, source, event_id, carried."at" as at, cast(quantity as decimal(38, 12)) as quantity
      from ${dialect.rows(bindings.bind(JSON.stringify(carried)), CARRIED)} as carried`;
  const order = 'partition by track_id order by told."at", source, event_id';
  return `${meteredSql(tracks, run, bindings)},
    spans as (select * from ${dialect.rows(bindings.bind(JSON.stringify(spans)), SPANS)} as span_rows),
    told as (
      select window_id as track_id, source, event_id, metered."at" as at, quantity from metered
      ${carriedSql}
    ),
    timeline as (
      select track_id, source, event_id, told."at" as at, quantity, ${dialect.nextInstant('told."at"', order)} as until_at from told
    ),
    held as (
      select spans.window_id as window_id, spans.line_id as line_id, timeline.source as source,
        timeline.event_id as event_id, timeline."at" as at, timeline.quantity as quantity,
        greatest(timeline."at", spans.starts_at) as from_at, least(timeline.until_at, spans.ends_at) as to_at
      from spans
      inner join timeline on timeline.track_id = spans.track_id
      where timeline."at" < spans.ends_at
        and timeline.until_at > greatest(timeline."at", spans.starts_at)
        and (not spans.is_latest or timeline.until_at >= spans.ends_at)
    ),
    placed as (
      select held.*, row_number() over (partition by line_id, source, event_id order by from_at) as place from held
    )`;
}

/** The last level before each track: one look at the facts before them for all, further back only for those without any. */
async function readCarried(tracks: readonly Track[], run: RunReader): Promise<Carried[]> {
  const found: Carried[] = [];
  let missing: readonly ReadingStretch[] = tracks;
  let nearerMicros = 0n;
  for (const micros of LOOK_BACK_MICROS) {
    const from = (start: Instant): Instant => (micros === null ? 0n : start - micros);
    const asked = missing
      .map((track) => ({ ...track, start: from(track.start), end: track.start - nearerMicros }))
      .filter(({ start, end }) => start < end);
    if (asked.length === 0) break;
    const bindings = new Bindings();
    const last = await run.query(
      `${meteredSql(asked, run, bindings)}
       select window_id, source, event_id, ranked."at" as at, quantity from (
         select window_id, source, event_id, metered."at" as at, quantity, row_number() over (
           partition by window_id order by metered."at" desc, source desc, event_id desc) as place
         from metered
       ) as ranked where place = 1`,
      bindings.values,
      Carried,
    );
    found.push(...last);
    const known = new Set(last.map(({ window_id }) => window_id));
    missing = missing.filter(({ windowId }) => !known.has(windowId));
    nearerMicros = micros ?? nearerMicros;
  }
  return found;
}

/** `latest` is asked of the last window of a line alone. */
function lastOfLatest(windows: readonly UsageWindow[]): UsageWindow[] {
  const last = new Map<string, UsageWindow>();
  for (const window of windows) {
    const known = last.get(window.lineId);
    if (known === undefined || known.start < window.start) last.set(window.lineId, window);
  }
  return windows.filter((window) => !isLatest(window) || last.get(window.lineId) === window);
}

function tracksOf(windows: readonly UsageWindow[]): Track[] {
  const byTrack = new Map<string, UsageWindow[]>();
  for (const window of windows) {
    const { lineId, skipsOwnKey, otherPackages, onlyPackages } = window;
    const key = JSON.stringify([lineId, skipsOwnKey, otherPackages, onlyPackages]);
    byTrack.set(key, [...(byTrack.get(key) ?? []), window]);
  }
  return [...byTrack.values()].flatMap((own, index) => {
    const [first] = own;
    if (first === undefined) return [];
    const start = own.reduce((least, one) => (one.start < least ? one.start : least), first.start);
    const end = own.reduce((most, one) => (one.end > most ? one.end : most), first.end);
    return [{ ...first, windowId: `track ${index}`, start, end, windows: own }];
  });
}
