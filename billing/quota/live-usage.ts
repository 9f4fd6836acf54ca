import { z } from 'zod';
import type { PublishedCatalog } from '../../core/catalog/tables.js';
import { addDecimals, compareDecimals, formatDecimal, parseDecimal } from '../../core/decimal.js';
import { RefusedError } from '../../core/errors.js';
import type { WatermarkVector } from '../../core/raw-event.js';
import type { Instant, Period } from '../../core/time.js';
import type { RunReader, Warehouse } from '../../platform/warehouse/warehouse.js';
import { readUsage, type UsageWindow, type WindowTotal } from '../metered-usage.js';
import { openQuestions, windowsOf } from '../org-usage.js';
import type { ChoicesIn, OverageBooks, OverageQuestion } from '../overage-plan.js';
import { loadBooks } from '../preview-overage.js';
import {
  liveReader,
  orgsToCorrect,
  readAims,
  METERED_STREAMS,
  type Aim,
  type AimsByStream,
  type CorrectedStream,
  type LivePlaces,
  type LiveScope,
  type MeasuredRun,
  type OrgsByStream,
} from './live-reader.js';

export interface OpenMeasuredRun {
  readonly run: MeasuredRun;
  readonly reader: RunReader;
}

/** What live usage is read from. */
export interface LiveSources {
  /** Opens the current run for as long as `work` takes. */
  readonly withRun: <Result>(work: (open: OpenMeasuredRun) => Promise<Result>) => Promise<Result>;
  readonly warehouse: Pick<Warehouse, 'rawRows' | 'positions'>;
  readonly catalogs: () => Promise<readonly PublishedCatalog[]>;
  /** What these orgs chose for when their limits are reached. */
  readonly choicesOf: (orgIds: readonly string[]) => Promise<ChoicesIn>;
}

/** What some orgs have open, and what they used of it. */
export interface LiveUsage {
  readonly runId: string;
  /** Everything that had come in up to here is in it. */
  readonly until: WatermarkVector;
  readonly books: OverageBooks;
  readonly questions: readonly OverageQuestion[];
  readonly usage: UsageParts;
  /** Those of the orgs that there are, and whether they are left out of all billing. */
  readonly orgs: ReadonlyMap<string, { readonly isExcluded: boolean }>;
}

/** Totals of windows, of the run's facts (of meters that add up) and with what came in since. */
export interface UsageParts {
  readonly facts: ReadonlyMap<string, WindowTotal>;
  readonly now: ReadonlyMap<string, WindowTotal>;
}

const OrgRow = z.object({ org_id: z.string(), is_excluded: z.boolean() });

/** Meters whose total over two sets of events follows from the totals over each. */
const ADDED_UP = new Set(['count', 'sum', 'max']);
/** Meters of levels that hold on: also from before a window, and up to now. */
const HELD = new Set(['latest', 'time_weighted']);

const addsUp = ({ meter }: Pick<UsageWindow, 'meter'>): boolean => ADDED_UP.has(meter.aggregation);
export const isHeld = ({ meter }: Pick<UsageWindow, 'meter'>): boolean => HELD.has(meter.aggregation);

/** Reads what orgs have used in the periods that are open at `now`: the run's facts and all that came in since. */
export async function readLiveUsage(
  sources: LiveSources,
  orgIds: readonly string[],
  now: Instant,
): Promise<LiveUsage> {
  const [catalogs, choicesIn] = await Promise.all([sources.catalogs(), sources.choicesOf(orgIds)]);
  return sources.withRun(async ({ run, reader }) => {
    const until = await sources.warehouse.positions();
    const places = { run, reader, warehouse: sources.warehouse, until, orgIds };
    await requireCorrections(reader);
    const corrected = await orgsToCorrect(places);
    const live = liveReader({
      ...places,
      days: null,
      aims: await aimsOf(places, corrected, ['billing']),
    });
    const books = await loadBooks(live, catalogs, undefined, choicesIn);
    const questions = openQuestions(books, now + 1n);
    const orgs = new Map(
      (await orgsOf(reader, orgIds)).map(({ org_id: id, is_excluded: isExcluded }) => [id, { isExcluded }]),
    );
    for (const { orgId } of books.subscriptions) if (!orgs.has(orgId)) orgs.set(orgId, { isExcluded: false });
    const usage = await readParts({ ...places, corrected, asOf: now + 1n }, windowsOf(questions), null);
    return { runId: run.runId, until, books, questions, usage, orgs };
  });
}

/**
 * The same usage, with what came in meanwhile; null when the run is another one by now, and everything is to be read anew.
 *
 * @param known what the run's facts came to
 */
export async function readLiveTail(
  sources: LiveSources,
  orgIds: readonly string[],
  known: {
    readonly runId: string;
    readonly windows: readonly UsageWindow[];
    readonly facts: UsageParts['facts'];
  },
  now: Instant,
): Promise<{ readonly until: WatermarkVector; readonly usage: UsageParts } | null> {
  return sources.withRun(async ({ run, reader }) => {
    if (run.runId !== known.runId) return null;
    const until = await sources.warehouse.positions();
    const places = { run, reader, warehouse: sources.warehouse, until, orgIds };
    const corrected = await orgsToCorrect(places);
    const usage = await readParts({ ...places, corrected, asOf: now + 1n }, known.windows, known.facts);
    return { until, usage };
  });
}

const Found = z.object({ tables: z.bigint() });

/** Runs of earlier versions do not say which corrections they applied. */
async function requireCorrections(reader: RunReader): Promise<void> {
  const [found] = await reader.query(
    `select count(*) as tables from information_schema.tables
     where table_name = 'int_corrections' and (table_catalog = $place or table_schema = $place)`,
    { place: reader.relation.replaceAll('"', '') },
    Found,
  );
  if (found !== undefined && found.tables > 0n) return;
  const command = 'headgate transform';
  throw new RefusedError(
    'no_run',
    `run ${reader.runId} was made by an earlier version, and live usage needs more than it holds; make another with: ${command}`,
    { details: { command } },
  );
}

/** A name is bound for each org; none is put into the text. */
function orgsOf(reader: RunReader, orgIds: readonly string[]): Promise<z.infer<typeof OrgRow>[]> {
  const names = orgIds.map((_, index) => `org_${index}_`);
  return reader.query(
    `select org_id, is_excluded from ${reader.relation}.int_orgs where org_id in (${names.map((name) => `$${name}`).join(', ')})`,
    Object.fromEntries(names.map((name, index) => [name, orgIds[index] ?? ''])),
    OrgRow,
  );
}

/** Nothing of streams where corrections have nothing to say. */
async function aimsOf(
  places: LivePlaces,
  corrected: OrgsByStream,
  streams: readonly CorrectedStream[],
): Promise<AimsByStream> {
  const aims: Partial<Record<CorrectedStream, readonly Aim[]>> = {};
  for (const stream of streams.filter((one) => corrected[one].size > 0)) {
    aims[stream] = await readAims({ ...places, orgIds: [...corrected[stream]] }, stream);
  }
  return aims;
}

interface Places extends LivePlaces {
  readonly corrected: OrgsByStream;
  /** Exclusive: levels hold until then. */
  readonly asOf: Instant;
}

/**
 * What the facts come to is read once for each run, and the tail as often as something comes in. Only where a correction has
 * something to say, or where a meter does not add up, both are read as one; where it holds levels, over all days and up to now.
 */
async function readParts(
  { corrected, asOf, ...places }: Places,
  windows: readonly UsageWindow[],
  knownFacts: UsageParts['facts'] | null,
): Promise<UsageParts> {
  if (windows.length === 0) return { facts: new Map(), now: new Map() };
  const plain: LiveScope = { ...places, days: daysOf(windows), aims: {} };
  const isCorrected = ({ orgId, meter: { stream } }: UsageWindow): boolean =>
    METERED_STREAMS.some((one) => one === stream && corrected[one].has(orgId));
  const [added, others] = split(windows, addsUp);
  const [whole, apart] = split(added, isCorrected);
  const facts = knownFacts ?? (await readUsage(added, liveReader(plain, 'facts')));
  const tail = await readUsage(apart, liveReader(plain, 'tail'));
  const aims = await aimsOf(places, corrected, METERED_STREAMS);
  const readWhole = async (asked: readonly UsageWindow[], withAims: AimsByStream) => {
    const [held, counted] = split(asked, isHeld);
    const scope: LiveScope = { ...plain, aims: withAims };
    return [
      ...(await readUsage(counted, liveReader(scope))),
      ...(await readUsage(held, liveReader({ ...scope, days: null }), asOf)),
    ];
  };
  const [correctedOthers, plainOthers] = split(others, isCorrected);
  const now = new Map([
    ...(await readWhole(plainOthers, {})),
    ...(await readWhole([...whole, ...correctedOthers], aims)),
  ]);
  for (const { windowId, meter } of apart) {
    const total = totalOf(facts.get(windowId), tail.get(windowId), meter.aggregation);
    if (total !== undefined) now.set(windowId, total);
  }
  return { facts, now };
}

function split<Item>(items: readonly Item[], isFirst: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}

/** Of two sets without a common event. */
export function totalOf(
  a: WindowTotal | undefined,
  b: WindowTotal | undefined,
  aggregation: string,
): WindowTotal | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const [one, other] = [parseDecimal(a.used), parseDecimal(b.used)];
  const highest = compareDecimals(one, other) > 0 ? one : other;
  return {
    windowId: a.windowId,
    used: formatDecimal(aggregation === 'max' ? highest : addDecimals(one, other)),
    events: a.events + b.events,
    eventDigest: a.eventDigest + b.eventDigest,
  };
}

function daysOf(windows: readonly UsageWindow[]): Period {
  const [first] = windows;
  return windows.reduce<Period>(
    ({ start, end }, window) => ({
      start: window.start < start ? window.start : start,
      end: window.end > end ? window.end : end,
    }),
    { start: first?.start ?? 0n, end: first?.end ?? 0n },
  );
}
