import { z } from 'zod';
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
  /** What corrections of the stream that is read amount to (readAims); null where they have nothing to say (orgsToCorrect). */
  readonly aims: readonly Aim[] | null;
}

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
 * `all`: what a run would keep as facts if it were made now. `tail`: of executions only what came after the run and counts.
 * `facts`: of executions only what the run has.
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

const OrgToCorrect = z.object({ stream: z.enum(['executions', 'billing']), org_id: z.string() });

/** Orgs of which a correction changes something that the run does not know of; of all others, corrections need not be looked at. */
export async function orgsToCorrect(
  scope: LivePlaces,
): Promise<{ readonly executions: ReadonlySet<string>; readonly billing: ReadonlySet<string> }> {
  const undated: LiveScope = { ...scope, days: null, aims: null };
  const ofStream = (stream: 'executions' | 'billing'): string => {
    const live = placesOf(undated, stream);
    return `select '${stream}' as stream, org_id from (${renderMacro('orgs_to_correct(live)', scope.reader.dialect, { live })}) as ${stream}_orgs`;
  };
  const rows = await liveReader(undated).query(
    `${ofStream('executions')} union all ${ofStream('billing')}`,
    {},
    OrgToCorrect,
  );
  const of = (stream: string) =>
    new Set(rows.filter((row) => row.stream === stream).map((row) => row.org_id));
  return { executions: of('executions'), billing: of('billing') };
}

/** Of orgs to correct: few of all, since this is the costly part. */
export function readAims(scope: LivePlaces, stream: 'executions' | 'billing'): Promise<Aim[]> {
  const undated: LiveScope = { ...scope, days: null, aims: null };
  const live = placesOf(undated, stream);
  return liveReader(undated).query(renderMacro('aims(live)', scope.reader.dialect, { live }), {}, Aim);
}

function liveFacts(scope: LiveScope, stream: Stream, part: LivePart): string {
  const { dialect } = scope.reader;
  const live = placesOf(scope, stream);
  if (stream !== 'executions')
    return `(${renderMacro(`live_events_of('${stream}', live)`, dialect, { live })})`;
  if (part === 'facts') return live.facts;
  const call = part === 'tail' ? 'tail_executions(live)' : 'live_executions(live)';
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
    facts: `(select * from ${reader.facts(stream)} where ${column} in (${orgs})${inDays})`,
    raw: `(select * from ${warehouse.rawRows(stream)} as raw_rows where subject in (${orgs}))`,
    corrections: `(select * from ${reader.relation}.int_corrections where stream = '${stream}' and subject in (${orgs}))`,
    org_column: column,
    watermark: watermarkJson(run.watermark)[stream],
    until: watermarkJson(until)[stream],
    as_of: cast('$live_as_of', 'timestamp'),
    ever: cast('$live_ever', 'timestamp'),
    aims: scope.aims === null ? null : AIMS_RELATION[reader.dialect],
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
      ...(aims === null ? {} : { live_aims: JSON.stringify(aims) }),
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
const AIMS_RELATION: Readonly<Record<Dialect, string>> = {
  duckdb: `(select unnest(from_json($live_aims, '[{"target_identity":"VARCHAR","subject":"VARCHAR","target_source":"VARCHAR",
    "target_id":"VARCHAR","was_void":"BOOLEAN","is_void":"BOOLEAN","amended_data":"VARCHAR","is_changed":"BOOLEAN"}]'), max_depth := 2))`,
  clickhouse: `format(JSONEachRow, 'target_identity String, subject String, target_source String, target_id String, was_void Bool,
    is_void Bool, amended_data Nullable(String), is_changed Bool', $live_aims)`,
};

/** Engines refuse a value that nothing in the statement asks for. */
function usedIn(sql: string, parameters: QueryParameters): QueryParameters {
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => sql.includes(`$${name}`)));
}
