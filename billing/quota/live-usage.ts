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
  type Aim,
  type LivePlaces,
  type LiveScope,
  type MeasuredRun,
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
      aims: await aimsOf(places, corrected.billing, 'billing'),
    });
    const books = await loadBooks(live, catalogs, undefined, choicesIn);
    const questions = openQuestions(books, now + 1n);
    const orgs = new Map(
      (await orgsOf(reader, orgIds)).map(({ org_id: id, is_excluded: isExcluded }) => [id, { isExcluded }]),
    );
    for (const { orgId } of books.subscriptions) if (!orgs.has(orgId)) orgs.set(orgId, { isExcluded: false });
    const usage = await readParts({ ...places, corrected: corrected.executions }, windowsOf(questions), null);
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
): Promise<{ readonly until: WatermarkVector; readonly usage: UsageParts } | null> {
  return sources.withRun(async ({ run, reader }) => {
    if (run.runId !== known.runId) return null;
    const until = await sources.warehouse.positions();
    const places = { run, reader, warehouse: sources.warehouse, until, orgIds };
    const { executions: corrected } = await orgsToCorrect(places);
    return { until, usage: await readParts({ ...places, corrected }, known.windows, known.facts) };
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

/** Null where corrections have nothing to say. */
function aimsOf(
  places: LivePlaces,
  corrected: ReadonlySet<string>,
  stream: 'executions' | 'billing',
): Promise<Aim[] | null> {
  if (corrected.size === 0) return Promise.resolve(null);
  return readAims({ ...places, orgIds: [...corrected] }, stream);
}

interface Places extends LivePlaces {
  readonly corrected: ReadonlySet<string>;
}

/**
 * What the facts come to is read once for each run, and the tail as often as something comes in. Only where a correction has
 * something to say, or where a meter does not add up, both are read as one.
 */
async function readParts(
  { corrected, ...places }: Places,
  windows: readonly UsageWindow[],
  knownFacts: UsageParts['facts'] | null,
): Promise<UsageParts> {
  if (windows.length === 0) return { facts: new Map(), now: new Map() };
  const plain: LiveScope = { ...places, days: daysOf(windows), aims: null };
  const addsUp = ({ meter }: UsageWindow): boolean => ADDED_UP.has(meter.aggregation);
  const [added, others] = split(windows, addsUp);
  const [apart, whole] = split(added, ({ orgId }) => !corrected.has(orgId));
  const [plainOthers, correctedOthers] = split(others, ({ orgId }) => !corrected.has(orgId));
  const facts = knownFacts ?? (await readUsage(added, liveReader(plain, 'facts')));
  const tail = await readUsage(apart, liveReader(plain, 'tail'));
  const aims = await aimsOf(places, corrected, 'executions');
  const now = new Map([
    ...(await readUsage(plainOthers, liveReader(plain))),
    ...(await readUsage([...whole, ...correctedOthers], liveReader({ ...plain, aims }))),
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
