import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { PublishedCatalog } from '../core/catalog/tables.js';
import { InputError } from '../core/errors.js';
import { parseInstant, type Instant, type Period } from '../core/time.js';
import type { RunReader } from '../platform/warehouse/warehouse.js';
import { catalogVersions } from './catalog-versions.js';
import { contractsOf, withContracts } from './contracts.js';
import { adjustUsage, endedTerms, periodKey } from './adjustments/adjust-plan.js';
import { ADJUSTMENT_ID } from './adjustments/adjustment.js';
import { creditsOf, Purse, type Credit } from './adjustments/credits.js';
import type { MeteredEvent } from './meter-readings.js';
import { readMeteredEvents, readUsage, type UsageWindow } from './metered-usage.js';
import {
  overageQuestions,
  planOf,
  planOverage,
  rateUsage,
  type ChoicesIn,
  type OverageBooks,
  type OverageLine,
  type OveragePlan,
  type OverageQuestion,
} from './overage-plan.js';
import { subscriptionsOf, type Subscription } from './subscription-timeline.js';

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

const BillingRow = z
  .object({
    subject: z.string(),
    type: z.string(),
    source: z.string(),
    event_id: z.string(),
    at: z.string(),
    data: z.string(),
  })
  .transform((row) => ({
    orgId: row.subject,
    type: row.type,
    source: row.source,
    eventId: row.event_id,
    at: parseInstant(row.at),
    data: row.data,
  }));
const OrgRow = z.object({ org_id: z.string() });

/** Subscriptions as the run knows them, of one org or of all; test and internal orgs have none. */
async function loadSubscriptions(run: RunReader, orgId: string | undefined): Promise<Subscription[]> {
  const excluded = await run.query(
    `select org_id from ${run.relation}.int_orgs where is_excluded`,
    {},
    OrgRow,
  );
  const left = new Set(excluded.map(({ org_id }) => org_id));
  const events = await billingEvents(run, `type like 'subscription.%'`, orgId);
  const subscriptions = subscriptionsOf(events.filter((event) => !left.has(event.orgId)));
  return withContracts(
    subscriptions,
    contractsOf(await billingEvents(run, `type = 'contract.signed'`, orgId)),
  );
}

/** Once each, corrected, without those that were voided. */
function billingEvents(run: RunReader, condition: string, orgId: string | undefined) {
  return run.query(
    `select subject, type, source, event_id, "at", data from ${run.facts('billing')}
     where ${condition} ${orgId === undefined ? '' : 'and subject = $org'}`,
    orgId === undefined ? {} : { org: orgId },
    BillingRow,
  );
}

/** What orgs have been granted, without what was voided. */
export async function loadCredits(run: RunReader, orgId: string | undefined): Promise<Credit[]> {
  return creditsOf(await billingEvents(run, `type = 'credit.granted'`, orgId));
}

/** Null: there is no ledger. */
export type PurseOf = (credits: readonly Credit[]) => Promise<Purse | null> | Purse;

/** Which overages are asked about: those of the periods that ended in `ending`, seen from a run's `asOf`. */
export interface OverageRequest {
  /** All published versions, oldest first: `CatalogStore.published()`. */
  readonly catalogs: readonly PublishedCatalog[];
  readonly ending: Period;
  readonly asOf: Instant;
  readonly orgId?: string | undefined;
  /** What orgs chose for when their limits are reached; none where absent. */
  readonly choicesIn?: ChoicesIn | undefined;
  /** What people call `ending`: 2026-09. */
  readonly month?: string | undefined;
  /** What is left of credits, as a ledger has it. */
  readonly purse?: PurseOf | undefined;
  /** What changes what usage comes to, of this subscription alone. */
  readonly subscriptionId?: string | undefined;
  /** Default: true. */
  readonly billsGuesses?: boolean | undefined;
}

/** What the run knows of subscriptions, of one org or of all. */
export async function loadBooks(
  run: RunReader,
  catalogs: readonly PublishedCatalog[],
  orgId: string | undefined,
  choicesIn?: ChoicesIn,
): Promise<OverageBooks> {
  return {
    subscriptions: await loadSubscriptions(run, orgId),
    catalogAt: catalogVersions(catalogs),
    md5,
    choicesIn,
  };
}

/**
 * What the overage run for the subscription periods that end inside `ending` would bill: its very plan, from usage that counts in
 * the run given. Nothing is written.
 */
export async function previewOverage(run: RunReader, request: OverageRequest): Promise<OveragePlan> {
  return planOf(await ratedLines(run, request));
}

/**
 * Every line of these periods, also where usage is within what is included, and what changes what usage comes to: what an overage
 * run holds against its ledger.
 */
export async function ratedLines(run: RunReader, request: OverageRequest): Promise<OverageLine[]> {
  return (await rate(run, request)).lines;
}

/** What orgs' credits have left at `asOf`, where no ledger says it: every period that is over by then paid from them, in its time. */
export async function purseByRating(
  run: RunReader,
  request: Pick<OverageRequest, 'catalogs' | 'asOf' | 'orgId'>,
): Promise<Purse> {
  return (await rate(run, { ...request, ending: { start: request.asOf, end: request.asOf } })).purse;
}

interface Rated {
  readonly questions: readonly OverageQuestion[];
  /** After all lines were paid from it. */
  readonly purse: Purse;
  readonly lines: OverageLine[];
}

async function rate(run: RunReader, request: OverageRequest): Promise<Rated> {
  const { catalogs, ending, asOf, orgId, subscriptionId, billsGuesses = true } = request;
  const books = await loadBooks(run, catalogs, orgId, request.choicesIn);
  const credits = await loadCredits(run, orgId);
  const known = credits.length === 0 ? null : await request.purse?.(credits);
  const purse = known ?? new Purse(credits);
  const earlier = known == null ? earlierOf(books, credits, ending) : null;
  const ranges = [...(earlier === null ? [] : [earlier]), { books, ending }];
  const questions = ranges.flatMap((range) => overageQuestions(range.books, range.ending, asOf));
  const terms = ranges
    .flatMap((range) => endedTerms(range.books, range.ending, asOf))
    .filter((one) => subscriptionId === undefined || one.subscriptionId === subscriptionId);
  const usage = await readUsage(
    questions.flatMap(({ windows }) => windows),
    run,
  );
  const rated = rateUsage(questions, usage);
  const lines = adjustUsage(rated, questions, terms, purse, { md5, billsGuesses });
  return { questions, purse, lines: lines.filter(({ period }) => period.end > ending.start) };
}

/** Without a ledger that says what earlier periods used up of credits, these are rated too, as if each had been billed in its time. */
function earlierOf(books: OverageBooks, credits: readonly Credit[], ending: Period) {
  const first = credits.reduce(
    (least, { grantedAt }) => (grantedAt < least ? grantedAt : least),
    ending.start,
  );
  if (first === ending.start) return null;
  const orgIds = new Set(credits.map(({ orgId }) => orgId));
  const subscriptions = books.subscriptions.filter(({ orgId }) => orgIds.has(orgId));
  return { books: { ...books, subscriptions }, ending: { start: first, end: ending.start } };
}

/**
 * One line of a preview with the events behind it. The quantities of a window's events add up to what it used, and those windows
 * rate to the line. Behind what changes what usage comes to is all usage of its period.
 *
 * @throws InputError `not_found`
 */
export async function explainOverageLine(
  run: RunReader,
  request: OverageRequest,
  lineId: string,
): Promise<{ line: OverageLine; events: MeteredEvent[] }> {
  const found = await (lineId.startsWith(`${ADJUSTMENT_ID}_`) ? findAdjustment : findUsage)(
    run,
    request,
    lineId,
  );
  if (found === null) {
    throw new InputError(
      'not_found',
      `no overage line ${lineId} in ${request.month ?? 'this period'}; headgate billing preview lists a month's lines, and --period 2026-09 ` +
        'looks into another month',
      { status: 404 },
    );
  }
  return { line: found.line, events: await readMeteredEvents(found.windows, run) };
}

type Found = { readonly line: OverageLine; readonly windows: readonly UsageWindow[] } | null;

async function findUsage(run: RunReader, request: OverageRequest, lineId: string): Promise<Found> {
  const books = await loadBooks(run, request.catalogs, request.orgId, request.choicesIn);
  const questions = overageQuestions(books, request.ending, request.asOf);
  const question = questions.find((one) => one.lineId === lineId);
  if (question === undefined) return null;
  const [line] = planOverage([question], await readUsage(question.windows, run)).lines;
  return line === undefined ? null : { line, windows: question.windows };
}

async function findAdjustment(run: RunReader, request: OverageRequest, lineId: string): Promise<Found> {
  const { questions, lines } = await rate(run, request);
  const line = lines.find((one) => one.lineId === lineId);
  if (line === undefined) return null;
  const behind = questions.filter(
    ({ metered }) =>
      periodKey({ ...metered, period: metered }) === periodKey(line) &&
      (line.meterId === '' || line.meterId === metered.meterId),
  );
  return { line, windows: behind.flatMap(({ windows }) => windows) };
}
