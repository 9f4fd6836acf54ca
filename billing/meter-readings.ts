import { z } from 'zod';
import type { Meter } from '../core/catalog/usage.js';
import type { Stream } from '../core/raw-event.js';
import { dateInUtc, formatDate, formatInstant, type Instant, type Period } from '../core/time.js';
import type { QueryParameter, RunReader } from '../platform/warehouse/warehouse.js';
import { meteredDialect, type ColumnType, type MeteredDialect } from './metered-dialect.js';

/** A stretch of time in which one org's readings of one meter are asked for. */
export interface ReadingStretch extends Period {
  readonly windowId: string;
  /** Within it a value of a meter of unique values counts once: windows of one allowance share it. */
  readonly bucketId: string;
  readonly orgId: string;
  readonly meterId: string;
  readonly meter: Meter;
  readonly skipsOwnKey: boolean;
  /** Packages whose usage another subscription of the org answers for. */
  readonly otherPackages: readonly string[];
  /** When set, only usage of these packages counts: the org's other usage is its main subscription's. */
  readonly onlyPackages: readonly string[] | null;
}

/** One event that was metered, with the quantity it put in: 0 for a value that counts already, the level for what is one. */
export interface MeteredEvent {
  readonly windowId: string;
  readonly source: string;
  readonly eventId: string;
  readonly at: string;
  readonly quantity: string;
}

export const MeteredEventRow = z
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
export class Bindings {
  readonly values: Record<string, QueryParameter> = {};
  private count = 0;

  bind(value: QueryParameter): string {
    const name = `b${(this.count += 1)}`;
    this.values[name] = value;
    return `$${name}`;
  }

  list(values: readonly string[]): string {
    return values.map((value) => this.bind(value)).join(', ');
  }
}

/** Fields of executions that have a column: by these alone they can be filtered and told apart. */
const EXECUTION_COLUMNS: Readonly<Record<string, string>> = {
  executionId: 'execution_id',
  packageId: 'package_id',
  workflow: 'workflow',
  installId: 'install_id',
  userId: 'user_id',
};
/** Who is counted once where a meter of unique values names nothing else. */
const USER = 'userId';

/** Why a meter's usage can't be rated in this version; null when it can. */
export function meterProblem(meter: Meter): string | null {
  if (meter.stream !== 'executions') return null;
  const isKnown = (field: string): boolean => Object.hasOwn(EXECUTION_COLUMNS, field);
  const unknown = Object.keys(meter.filter).find((field) => !isKnown(field));
  if (unknown !== undefined) return `meters of executions can't be filtered by ${unknown} in this version`;
  if (meter.aggregation !== 'unique' || meter.eventType === 'usage.recorded') return null;
  const { key = USER } = meter;
  return isKnown(key) ? null : `executions can't be told apart by ${key} in this version`;
}

/** What a meter reads of an event: a quantity, and what makes it a unique one. NULL: the event is none of its. */
interface Reading {
  readonly conditions: readonly string[];
  readonly quantity: string;
  readonly value: string | null;
}

/** A failed execution was started too, so only meters of completed ones gain by counting it. */
function eventTypesOf({ eventType, billsFailed }: Meter): string[] {
  return billsFailed && eventType === 'execution.completed' ? [eventType, 'execution.failed'] : [eventType];
}

function readingOf(meterId: string, meter: Meter, bindings: Bindings, dialect: MeteredDialect): Reading {
  const { aggregation, key, stream } = meter;
  const field = (name: string): string =>
    stream === 'executions'
      ? (EXECUTION_COLUMNS[name] ?? 'null')
      : dialect.jsonField('data', bindings.bind(name));
  const conditions = [`type in (${bindings.list(eventTypesOf(meter))})`];
  for (const [name, values] of Object.entries(meter.filter)) {
    conditions.push(`${field(name)} in (${bindings.list(values)})`);
  }
  const isRecorded = meter.eventType === 'usage.recorded';
  if (isRecorded) conditions.push(`meter = ${bindings.bind(key ?? meterId)}`);
  if (aggregation === 'unique') {
    const value = isRecorded ? 'unique_key' : field(key ?? USER);
    return { conditions: [...conditions, `${value} is not null`], quantity: '1', value };
  }
  const ownQuantity = (name: string): string =>
    stream === 'executions'
      ? dialect.jsonField('usage', bindings.bind(name))
      : dialect.quantityIn(field(name));
  const read = isRecorded ? 'quantity' : key === undefined ? '1' : ownQuantity(key);
  conditions.push(`${read} is not null`);
  return { conditions, quantity: aggregation === 'count' ? '1' : read, value: null };
}

interface Definition {
  readonly place: number;
  readonly meterId: string;
  readonly meter: Meter;
}

/** Meters that are defined alike are read once, also where two versions of the catalog define them. */
function definitionsOf(stretches: readonly ReadingStretch[]) {
  const byText = new Map<string, Definition>();
  const places = stretches.map(({ meterId, meter }) => {
    const text = JSON.stringify([meterId, meter]);
    const known = byText.get(text) ?? { place: byText.size, meterId, meter };
    byText.set(text, known);
    return known.place;
  });
  return { definitions: [...byText.values()], places };
}

/** An instant as both engines read it from JSON. */
export const timestamp = (at: Instant): string => formatInstant(at).replace('T', ' ').replace('Z', '');

/** The readings of one stream: one pass over the facts of the days asked about, whatever the number of meters. */
function scanOf(
  stream: Stream,
  definitions: readonly Definition[],
  { start, end }: Period,
  run: RunReader,
  bindings: Bindings,
): string {
  const dialect = meteredDialect(run.dialect);
  const day = (at: Instant): string => `cast(${bindings.bind(formatDate(dateInUtc(at)))} as date)`;
  const types = [...new Set(definitions.flatMap(({ meter }) => eventTypesOf(meter)))];
  const readings = definitions.map(({ place, meterId, meter }) => {
    const { conditions, quantity, value } = readingOf(meterId, meter, bindings, dialect);
    const counted = `case when ${conditions.join(' and ')} then cast(${quantity} as decimal(38, 12)) end`;
    return dialect.reading(place, counted, value);
  });
  const [org, packageId, ownKey] =
    stream === 'executions'
      ? ['org_id', 'package_id', 'coalesce(byo_key, false)']
      : ['subject', dialect.jsonField('data', `'packageId'`), 'false'];
  // A record per meter becomes a row: a join per meter would read the facts again for each.
  return `
    select ${org} as org_id, source, event_id, "at", coalesce(${packageId}, '') as package_id, ${ownKey} as own_key,
      ${dialect.oneRowEach(readings)} as reading
    from ${run.facts(stream)}
    where day >= ${day(start)} and day <= ${day(end)}
      and type in (${bindings.list(types)})
      and ${org} in (select asked.org_id from asked)`;
}

const ASKED: Readonly<Record<string, ColumnType>> = {
  ...{ window_id: 'text', bucket_id: 'text', org_id: 'text', definition: 'integer' },
  ...{ starts_at: 'instant', ends_at: 'instant', skips_own_key: 'boolean', other_packages: 'texts' },
  ...{ is_limited: 'boolean', only_packages: 'texts' },
};

/** CTEs whose last is `metered`: the readings of all meters, joined to the stretches they fall in. */
export function meteredSql(stretches: readonly ReadingStretch[], run: RunReader, bindings: Bindings): string {
  const dialect = meteredDialect(run.dialect);
  const { definitions, places } = definitionsOf(stretches);
  const asked = stretches.map((stretch, index) => ({
    window_id: stretch.windowId,
    bucket_id: stretch.bucketId,
    org_id: stretch.orgId,
    definition: places[index],
    starts_at: timestamp(stretch.start),
    ends_at: timestamp(stretch.end),
    skips_own_key: stretch.skipsOwnKey,
    other_packages: stretch.otherPackages,
    is_limited: stretch.onlyPackages !== null,
    only_packages: stretch.onlyPackages ?? [],
  }));
  const start = stretches.reduce(
    (least, one) => (one.start < least ? one.start : least),
    stretches[0]?.start ?? 0n,
  );
  const end = stretches.reduce((most, one) => (one.end > most ? one.end : most), start);
  const streams = [...new Set(definitions.map(({ meter }) => meter.stream))];
  const scans = streams.map((stream) =>
    scanOf(
      stream,
      definitions.filter(({ meter }) => meter.stream === stream),
      { start, end },
      run,
      bindings,
    ),
  );
  const quantity = dialect.fieldOf('scanned.reading', 'quantity');
  return `
    with asked as (select * from ${dialect.rows(bindings.bind(JSON.stringify(asked)), ASKED)} as windows),
    scanned as (${scans.join('\n    union all\n')}),
    metered as (
      select asked.window_id as window_id, asked.bucket_id as bucket_id, scanned.source as source,
        scanned.event_id as event_id, scanned."at" as at, ${quantity} as quantity,
        ${dialect.fieldOf('scanned.reading', 'value')} as value
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
