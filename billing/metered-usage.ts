import { z } from 'zod';
import type { Catalog } from '../core/catalog.js';
import type { Meter } from '../core/catalog/usage.js';
import { RefusedError } from '../core/errors.js';
import { formatInstant, type Period } from '../core/time.js';
import type { QueryParameter, RunReader } from '../platform/warehouse/warehouse.js';

/** A stretch of time in which one org's usage of one meter is asked for. */
export interface UsageWindow extends Period {
  readonly windowId: string;
  readonly orgId: string;
  readonly meterId: string;
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
  .object({ window_id: z.string(), used: z.string(), events: z.bigint() })
  .transform((row): WindowTotal => ({ windowId: row.window_id, used: row.used, events: Number(row.events) }));
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

/** What one meter reads from the execution facts: a row per event that it counts. */
function readingsOf(meterId: string, meter: Meter, facts: string, bindings: Bindings): string {
  const types = [meter.eventType, ...(meter.billsFailed ? ['execution.failed'] : [])].map((type) =>
    bindings.bind(type),
  );
  const conditions = [`type in (${types.join(', ')})`];
  let quantity = 'cast(1 as decimal(38, 12))';
  if (meter.eventType === 'usage.recorded') {
    conditions.push(`meter = ${bindings.bind(meter.key ?? meterId)}`);
    if (meter.aggregation !== 'count') quantity = 'quantity';
  } else if (meter.key !== undefined) {
    const path = bindings.bind(`$."${meter.key}"`);
    conditions.push(`json_extract_string(usage, ${path}) is not null`);
    if (meter.aggregation !== 'count')
      quantity = `cast(json_extract_string(usage, ${path}) as decimal(38, 12))`;
  }
  for (const [field, values] of Object.entries(meter.filter)) {
    conditions.push(
      `${FILTER_COLUMNS[field] ?? 'null'} in (${values.map((value) => bindings.bind(value)).join(', ')})`,
    );
  }
  return `
    select ${bindings.bind(meterId)} as meter_id, org_id, source, event_id, "at", package_id,
      coalesce(byo_key, false) as own_key, ${quantity} as quantity
    from ${facts}
    where ${conditions.join(' and ')}`;
}

/** Readings joined to the windows they fall in. */
function meteredSql(
  catalog: Catalog,
  windows: readonly UsageWindow[],
  run: RunReader,
  bindings: Bindings,
): string {
  const meterIds = [...new Set(windows.map(({ meterId }) => meterId))].sort();
  const readings = meterIds.map((meterId) => {
    const meter = catalog.meters[meterId];
    if (meter === undefined)
      throw new RefusedError('catalog_invalid', `the catalog has no meter "${meterId}"`);
    return readingsOf(meterId, meter, run.facts('executions'), bindings);
  });
  const json = JSON.stringify(
    windows.map((window) => ({
      window_id: window.windowId,
      org_id: window.orgId,
      meter_id: window.meterId,
      starts_at: formatInstant(window.start).replace('Z', ''),
      ends_at: formatInstant(window.end).replace('Z', ''),
      skips_own_key: window.skipsOwnKey,
      other_packages: window.otherPackages,
      only_packages: window.onlyPackages,
    })),
  );
  const shape = `[{"window_id":"VARCHAR","org_id":"VARCHAR","meter_id":"VARCHAR","starts_at":"TIMESTAMP","ends_at":"TIMESTAMP",
    "skips_own_key":"BOOLEAN","other_packages":["VARCHAR"],"only_packages":["VARCHAR"]}]`;
  return `
    with asked as (select unnest(from_json(${bindings.bind(json)}, '${shape}'), max_depth := 2)),
    readings as (${readings.join(' union all ')}),
    metered as (
      select asked.window_id, readings.source, readings.event_id, readings."at", readings.quantity
      from asked
      inner join readings
        on readings.org_id = asked.org_id
        and readings.meter_id = asked.meter_id
        and readings."at" >= asked.starts_at
        and readings."at" < asked.ends_at
      where not (asked.skips_own_key and readings.own_key)
        and not list_contains(asked.other_packages, coalesce(readings.package_id, ''))
        and (asked.only_packages is null or list_contains(asked.only_packages, coalesce(readings.package_id, '')))
    )`;
}

/** How much each window used; windows without usage are left out. Sums are exact decimals. */
export async function readUsage(
  catalog: Catalog,
  windows: readonly UsageWindow[],
  run: RunReader,
): Promise<ReadonlyMap<string, WindowTotal>> {
  if (windows.length === 0) return new Map();
  const bindings = new Bindings();
  const metered = meteredSql(catalog, windows, run, bindings);
  const levels = windows.filter(({ meterId }) => catalog.meters[meterId]?.aggregation === 'max');
  const isLevel = bindings.bind(JSON.stringify(levels.map(({ windowId }) => windowId)));
  const totals = await run.query(
    `${metered},
     levels as (select unnest(from_json(${isLevel}, '["VARCHAR"]')) as window_id)
     select metered.window_id,
       cast(case when levels.window_id is null then sum(metered.quantity) else max(metered.quantity) end as varchar) as used,
       count(*) as events
     from metered left join levels on levels.window_id = metered.window_id
     group by metered.window_id, levels.window_id`,
    bindings.values,
    Total,
  );
  return new Map(totals.map((total) => [total.windowId, total]));
}

/** The events that windows counted, in order of time: what explains a line, and re-adds to it. */
export function readMeteredEvents(
  catalog: Catalog,
  windows: readonly UsageWindow[],
  run: RunReader,
): Promise<MeteredEvent[]> {
  const bindings = new Bindings();
  const metered = meteredSql(catalog, windows, run, bindings);
  return run.query(
    `${metered} select window_id, source, event_id, cast("at" as varchar) as "at", cast(quantity as varchar) as quantity
     from metered order by "at", source, event_id, window_id`,
    bindings.values,
    Event,
  );
}
