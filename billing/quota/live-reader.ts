import { z } from 'zod';
import { METERED_EVENT_TYPES } from '../../core/catalog/usage.js';
import { watermarkJson, type Stream, type WatermarkVector } from '../../core/raw-event.js';
import { dateInUtc, formatDate, formatInstant, type Instant, type Period } from '../../core/time.js';
import { castText } from '../../platform/warehouse/cast-text.js';
import { renderMacro } from '../../platform/warehouse/render-macros.js';
import type {
  Dialect,
  QueryParameters,
  RowSchema,
  RunLocation,
  RunReader,
  Warehouse,
} from '../../platform/warehouse/warehouse.js';

/** A published run, as far as what came after it is concerned. */
export interface MeasuredRun extends RunLocation {
  readonly asOf: Instant;
  readonly watermark: WatermarkVector;
}

/** What is asked between runs: of some orgs, everything up to a position of the log. */
export interface LiveScope {
  readonly run: MeasuredRun;
  readonly reader: RunReader;
  readonly warehouse: Pick<Warehouse, 'rawRows'>;
  readonly until: WatermarkVector;
  readonly orgIds: readonly string[];
  /** Which execution facts are looked at; null: all days. */
  readonly days: Period | null;
  /** What corrections amount to (readAims), by stream; of a stream that is left out they have nothing to say (orgsToCorrect). */
  readonly aims: AimsByStream;
}

/** Every stream that a meter reads. */
export const METERED_STREAMS = [...new Set(Object.values(METERED_EVENT_TYPES))];
const CORRECTED_STREAMS = [...METERED_STREAMS, 'billing'] as const;
export type CorrectedStream = (typeof CORRECTED_STREAMS)[number];
export type AimsByStream = Partial<Readonly<Record<CorrectedStream, readonly Aim[]>>>;

/** What the corrections of one event amount to, beside what the run's facts applied. */
export type Aim = z.output<typeof Aim>;
const Aim = z.object({
  ...{ target_identity: z.string(), subject: z.string(), target_source: z.string(), target_id: z.string() },
  ...{
    was_void: z.boolean(),
    is_void: z.boolean(),
    amended_data: z.string().nullable(),
    is_changed: z.boolean(),
  },
});

export type LivePlaces = Omit<LiveScope, 'days' | 'aims'>;

/**
 * `all`: what a run would keep as facts if it were made now. `tail`: only what came after the run and counts. `facts`: only what the
 * run has.
 */
export type LivePart = 'all' | 'tail' | 'facts';

/** Later than any event can be. */
const EVER = '2299-12-31T23:59:59.999999Z';

/**
 * A run's reader whose facts go on after the run, so that whatever rates a run rates what is live, unchanged. What comes out of SQL
 * beside facts (`relation`) is still the run's.
 */
export function liveReader(scope: LiveScope, part: LivePart = 'all'): RunReader {
  const { reader } = scope;
  const { parameters } = boundBy(scope);
  const query = <Row>(sql: string, given: QueryParameters, schema: RowSchema<Row>): Promise<Row[]> =>
    reader.query(sql, { ...given, ...usedIn(sql, parameters) }, schema);
  return {
    ...reader,
    facts: (stream) => liveFacts(scope, stream, part),
    query,
    stream: (sql, given, schema) => reader.stream(sql, { ...given, ...usedIn(sql, parameters) }, schema),
  };
}

const OrgToCorrect = z.object({ stream: z.enum(CORRECTED_STREAMS), org_id: z.string() });
export type OrgsByStream = Readonly<Record<CorrectedStream, ReadonlySet<string>>>;

/** Orgs of which a correction changes something that the run does not know of; of all others, corrections need not be looked at. */
export async function orgsToCorrect(scope: LivePlaces): Promise<OrgsByStream> {
  const undated: LiveScope = { ...scope, days: null, aims: {} };
  const ofStream = (stream: CorrectedStream): string => {
    const live = placesOf(undated, stream);
    return `select '${stream}' as stream, org_id from (${renderMacro('orgs_to_correct(live)', scope.reader.dialect, { live })}) as ${stream}_orgs`;
  };
  const rows = await liveReader(undated).query(
    CORRECTED_STREAMS.map(ofStream).join(' union all '),
    {},
    OrgToCorrect,
  );
  const of = (stream: CorrectedStream) =>
    new Set(rows.filter((row) => row.stream === stream).map((row) => row.org_id));
  return { executions: of('executions'), installs: of('installs'), billing: of('billing') };
}

/** Of orgs to correct: few of all, since this is the costly part. */
export function readAims(scope: LivePlaces, stream: CorrectedStream): Promise<Aim[]> {
  const undated: LiveScope = { ...scope, days: null, aims: {} };
  const live = placesOf(undated, stream);
  return liveReader(undated).query(renderMacro('aims(live)', scope.reader.dialect, { live }), {}, Aim);
}

function liveFacts(scope: LiveScope, stream: Stream, part: LivePart): string {
  const { dialect } = scope.reader;
  const live = placesOf(scope, stream);
  if (part === 'facts') return live.facts;
  const which = part === 'tail' ? 'tail' : 'live';
  const call =
    stream === 'executions' ? `${which}_executions(live)` : `${which}_events_of('${stream}', live)`;
  return `(${renderMacro(call, dialect, { live })})`;
}

/** Where live.sql finds things, narrowed to the orgs asked about. */
function placesOf(scope: LiveScope, stream: Stream) {
  const { reader, warehouse, run, until, days } = scope;
  const { orgs } = boundBy(scope);
  const column = stream === 'executions' ? 'org_id' : 'subject';
  const cast = (name: string, type: 'date' | 'timestamp'): string => castText(reader.dialect, name, type);
  const isDated = stream === 'executions' && days !== null;
  const inDays = isDated
    ? ` and day >= ${cast('$live_first_day', 'date')} and day <= ${cast('$live_last_day', 'date')}`
    : '';
  return {
    // Corrections are looked at without them, also of a stream that no meter reads and a run need not have.
    get facts() {
      return `(select * from ${reader.facts(stream)} where ${column} in (${orgs})${inDays})`;
    },
    raw: `(select * from ${warehouse.rawRows(stream)} as raw_rows where subject in (${orgs}))`,
    corrections: `(select * from ${reader.relation}.int_corrections where stream = '${stream}' and subject in (${orgs}))`,
    org_column: column,
    watermark: watermarkJson(run.watermark)[stream],
    until: watermarkJson(until)[stream],
    as_of: cast('$live_as_of', 'timestamp'),
    ever: cast('$live_ever', 'timestamp'),
    aims: Object.hasOwn(scope.aims, stream) ? aimsRelation(reader.dialect, `$live_aims_${stream}`) : null,
  };
}

/** The names that values of the scope are bound to. */
function boundBy({ run, orgIds, days, aims }: LiveScope): { orgs: string; parameters: QueryParameters } {
  const orgs = orgIds.map((orgId, index) => [`live_org_${index}_`, orgId] as const);
  return {
    orgs: orgs.map(([name]) => `$${name}`).join(', ') || "''",
    parameters: {
      ...Object.fromEntries(orgs),
      live_as_of: formatInstant(run.asOf),
      live_ever: EVER,
      ...Object.fromEntries(
        Object.entries(aims).map(([stream, found]) => [`live_aims_${stream}`, JSON.stringify(found)]),
      ),
      ...(days === null
        ? {}
        : {
            live_first_day: formatDate(dateInUtc(days.start)),
            live_last_day: formatDate(dateInUtc(days.end)),
          }),
    },
  };
}

/** Aims are bound as one JSON text. */
const aimsRelation = (dialect: Dialect, json: string): string =>
  ({
    duckdb: `(select unnest(from_json(${json}, '[{"target_identity":"VARCHAR","subject":"VARCHAR","target_source":"VARCHAR",
    "target_id":"VARCHAR","was_void":"BOOLEAN","is_void":"BOOLEAN","amended_data":"VARCHAR","is_changed":"BOOLEAN"}]'), max_depth := 2))`,
    clickhouse: `format(JSONEachRow, 'target_identity String, subject String, target_source String, target_id String, was_void Bool,
    is_void Bool, amended_data Nullable(String), is_changed Bool', ${json})`,
  })[dialect];

/** Engines refuse a value that nothing in the statement asks for. */
function usedIn(sql: string, parameters: QueryParameters): QueryParameters {
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => sql.includes(`$${name}`)));
}
