import { z } from 'zod';
import type { Meter } from '../core/catalog/usage.js';
import { formatDate, dateInUtc, formatInstant, type Period } from '../core/time.js';
import { digestSql } from '../platform/warehouse/digest-sql.js';
import type { QueryParameter, RunReader } from '../platform/warehouse/warehouse.js';
import { meteredDialect, type MeteredDialect } from './metered-dialect.js';

/** A stretch of time in which one org's usage of one meter is asked for. */
export interface UsageWindow extends Period {
  readonly windowId: string;
  readonly orgId: string;
  readonly meterId: string;
  readonly meter: Meter;
  readonly skipsOwnKey: boolean;
  /** Packages whose usage another subscription of the org answers for. */
  readonly otherPackages: readonly string[];
  /** When set, only usage of these packages counts: the org's other usage is its main subscription's. */
  readonly onlyPackages: readonly string[] | null;
}

export interface WindowTotal {
  readonly windowId: string;
  /** Digits with a fraction. */
  readonly used: string;
  readonly events: number;
  /** Of which events, whatever their order: core/event-set.ts. Digests of windows without a common event add up. */
  readonly eventDigest: bigint;
}

/** One event that was metered, with the quantity it put in. */
export interface MeteredEvent {
  readonly windowId: string;
  readonly source: string;
  readonly eventId: string;
  readonly at: string;
  readonly quantity: string;
}

/** Why a meter's usage can't be rated in this version; null when it can. */
export function meterProblem(meter: Meter): string | null {
  if (!['count', 'sum', 'max'].includes(meter.aggregation)) {
    return `meters that are aggregated as ${meter.aggregation} are not rated in this version`;
  }
  if (meter.stream !== 'executions') return `meters over ${meter.eventType} are not rated in this version`;
  const unknown = Object.keys(meter.filter).find((field) => !(field in FILTER_COLUMNS));
  return unknown === undefined ? null : `meters can't be filtered by ${unknown} in this version`;
}

const FILTER_COLUMNS: Readonly<Record<string, string>> = {
  packageId: 'package_id',
  workflow: 'workflow',
  installId: 'install_id',
  userId: 'user_id',
};

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
const Event = z
  .object({
    window_id: z.string(),
    source: z.string(),
    event_id: z.string(),
    at: z.string(),
    quantity: z.string(),
  })
  .transform((row): MeteredEvent => ({
    windowId: row.window_id,
    source: row.source,
    eventId: row.event_id,
    at: row.at,
    quantity: row.quantity,
  }));

/** Collects bound values: their text never enters the SQL. */
class Bindings {
  readonly values: Record<string, QueryParameter> = {};
  private count = 0;

  bind(value: QueryParameter): string {
    const name = `b${(this.count += 1)}`;
    this.values[name] = value;
    return `$${name}`;
  }
}

/** Which events a meter counts, and how much each puts in, as SQL over the execution facts. */
function readingOf(meterId: string, meter: Meter, bindings: Bindings, dialect: MeteredDialect): string {
  const conditions = [
    `type in (${eventTypesOf(meter)
      .map((type) => bindings.bind(type))
      .join(', ')})`,
  ];
  let quantity = '1';
  if (meter.eventType === 'usage.recorded') {
    conditions.push(`meter = ${bindings.bind(meter.key ?? meterId)}`);
    if (meter.aggregation !== 'count') quantity = 'quantity';
  } else if (meter.key !== undefined) {
    const read = dialect.jsonField('usage', bindings.bind(meter.key));
    conditions.push(`${read} is not null`);
    if (meter.aggregation !== 'count') quantity = read;
  }
  for (const [field, values] of Object.entries(meter.filter)) {
    const column = FILTER_COLUMNS[field] ?? 'null';
    conditions.push(`${column} in (${values.map((value) => bindings.bind(value)).join(', ')})`);
  }
  return `case when ${conditions.join(' and ')} then cast(${quantity} as decimal(38, 12)) end`;
}

/** A failed execution was started too, so only meters of completed ones gain by counting it. */
function eventTypesOf({ eventType, billsFailed }: Meter): string[] {
  return billsFailed && eventType === 'execution.completed' ? [eventType, 'execution.failed'] : [eventType];
}

/** Meters that are defined alike are read once, also where two versions of the catalog define them. */
function definitionsOf(windows: readonly UsageWindow[]) {
  const byText = new Map<string, { place: number; meterId: string; meter: Meter }>();
  const places = windows.map(({ meterId, meter }) => {
    const text = JSON.stringify([meterId, meter]);
    const known = byText.get(text) ?? { place: byText.size, meterId, meter };
    byText.set(text, known);
    return known.place;
  });
  return { definitions: [...byText.values()], places };
}

const timestamp = (at: bigint): string => formatInstant(at).replace('T', ' ').replace('Z', '');

/**
 * The readings of all meters, joined to the windows they fall in: one pass over the facts of the days asked about, whatever the
 * number of meters. A record per meter becomes a row because a join per meter would read the facts again for each.
 */
function meteredSql(windows: readonly UsageWindow[], run: RunReader, bindings: Bindings): string {
  const dialect = meteredDialect(run.dialect);
  const { definitions, places } = definitionsOf(windows);
  const asked = windows.map((window, index) => ({
    window_id: window.windowId,
    org_id: window.orgId,
    definition: places[index],
    starts_at: timestamp(window.start),
    ends_at: timestamp(window.end),
    skips_own_key: window.skipsOwnKey,
    other_packages: window.otherPackages,
    is_limited: window.onlyPackages !== null,
    only_packages: window.onlyPackages ?? [],
  }));
  const day = (at: bigint): string => `cast(${bindings.bind(formatDate(dateInUtc(at)))} as date)`;
  const first = windows.reduce(
    (least, { start }) => (start < least ? start : least),
    windows[0]?.start ?? 0n,
  );
  const last = windows.reduce((most, { end }) => (end > most ? end : most), first);
  const types = [...new Set(definitions.flatMap(({ meter }) => eventTypesOf(meter)))];
  const readings = definitions.map(({ place, meterId, meter }) =>
    dialect.reading(place, readingOf(meterId, meter, bindings, dialect)),
  );
  const quantity = dialect.fieldOf('scanned.reading', 'quantity');
  return `
    with asked as (select * from ${dialect.windows(bindings.bind(JSON.stringify(asked)))} as windows),
    scanned as (
      select org_id, source, event_id, "at", coalesce(package_id, '') as package_id,
        coalesce(byo_key, false) as own_key, ${dialect.oneRowEach(readings)} as reading
      from ${run.facts('executions')}
      where day >= ${day(first)} and day <= ${day(last)}
        and type in (${types.map((type) => bindings.bind(type)).join(', ')})
        and org_id in (select org_id from asked)
    ),
    metered as (
      select asked.window_id as window_id, scanned.source as source, scanned.event_id as event_id, scanned."at" as at,
        ${quantity} as quantity
      from asked
      inner join scanned
        on scanned.org_id = asked.org_id
        and ${dialect.fieldOf('scanned.reading', 'definition')} = asked.definition
      where scanned."at" >= asked.starts_at
        and scanned."at" < asked.ends_at
        and ${quantity} is not null
        and not (asked.skips_own_key and scanned.own_key)
        and not ${dialect.contains('asked.other_packages', 'scanned.package_id')}
        and (not asked.is_limited or ${dialect.contains('asked.only_packages', 'scanned.package_id')})
    )`;
}

/** How much each window used; windows without usage are left out. Sums are exact decimals. */
export async function readUsage(
  windows: readonly UsageWindow[],
  run: RunReader,
): Promise<ReadonlyMap<string, WindowTotal>> {
  if (windows.length === 0) return new Map();
  const bindings = new Bindings();
  const metered = meteredSql(windows, run, bindings);
  const { lineFeed, sumOf } = digestSql(run.dialect);
  const totals = await run.query(
    `${metered}
     select window_id, sum(quantity) as total, max(quantity) as highest, count(*) as events,
       ${sumOf(`source || ${lineFeed} || event_id`)} as digest
     from metered group by window_id`,
    bindings.values,
    Total,
  );
  const levels = new Set(
    windows.filter(({ meter }) => meter.aggregation === 'max').map(({ windowId }) => windowId),
  );
  return new Map(
    totals.map(({ windowId, total, highest, ...counted }) => [
      windowId,
      { windowId, used: levels.has(windowId) ? highest : total, ...counted },
    ]),
  );
}

/** The events that windows counted, in order of time: what explains a line, and re-adds to it. */
export async function readMeteredEvents(
  windows: readonly UsageWindow[],
  run: RunReader,
): Promise<MeteredEvent[]> {
  if (windows.length === 0) return [];
  const bindings = new Bindings();
  const metered = meteredSql(windows, run, bindings);
  return run.query(
    `${metered} select window_id, source, event_id, metered."at" as at, quantity
     from metered order by metered."at", source, event_id, window_id`,
    bindings.values,
    Event,
  );
}
