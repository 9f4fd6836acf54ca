import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { PublishedCatalog } from '../core/catalog/tables.js';
import { InputError } from '../core/errors.js';
import { parseInstant, type Instant, type Period } from '../core/time.js';
import type { RunReader } from '../platform/warehouse/warehouse.js';
import { catalogVersions } from './catalog-versions.js';
import { readMeteredEvents, readUsage, type MeteredEvent, type WindowTotal } from './metered-usage.js';
import {
  overageQuestions,
  planOverage,
  rateUsage,
  type ChoiceAt,
  type OverageBooks,
  type OverageLine,
  type OveragePlan,
  type OverageQuestion,
} from './overage-plan.js';
import { subscriptionsOf, type Subscription } from './subscription-timeline.js';

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

const SubscriptionRow = z
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
  const events = await run.query(
    `select subject, type, source, event_id, "at", data from ${run.facts('billing')}
     where type like 'subscription.%' ${orgId === undefined ? '' : 'and subject = $org'}`,
    orgId === undefined ? {} : { org: orgId },
    SubscriptionRow,
  );
  return subscriptionsOf(events.filter((event) => !left.has(event.orgId)));
}

/** Which overages are asked about: those of the periods that ended in `ending`, seen from a run's `asOf`. */
export interface OverageRequest {
  /** All published versions, oldest first: `CatalogStore.published()`. */
  readonly catalogs: readonly PublishedCatalog[];
  readonly ending: Period;
  readonly asOf: Instant;
  readonly orgId?: string | undefined;
  /** What orgs chose for when their limits are reached; none where absent. */
  readonly choiceAt?: ChoiceAt | undefined;
  /** What people call `ending`: 2026-09. */
  readonly month?: string | undefined;
}

async function loadQuestions(run: RunReader, request: OverageRequest): Promise<OverageQuestion[]> {
  const books = await loadBooks(run, request.catalogs, request.orgId, request.choiceAt);
  return overageQuestions(books, request.ending, request.asOf);
}

/** What the run knows of subscriptions, of one org or of all. */
export async function loadBooks(
  run: RunReader,
  catalogs: readonly PublishedCatalog[],
  orgId: string | undefined,
  choiceAt?: ChoiceAt,
): Promise<OverageBooks> {
  return {
    subscriptions: await loadSubscriptions(run, orgId),
    catalogAt: catalogVersions(catalogs),
    md5,
    choiceAt,
  };
}

/**
 * What the overage run for the subscription periods that end inside `ending` would bill: its very plan, from usage that counts in
 * the run given. Nothing is written.
 */
export async function previewOverage(run: RunReader, request: OverageRequest): Promise<OveragePlan> {
  return planOverage(...(await loadUsage(run, request)));
}

/** Every line of these periods, also where usage is within what is included: what an overage run holds against its ledger. */
export async function ratedLines(run: RunReader, request: OverageRequest): Promise<OverageLine[]> {
  return rateUsage(...(await loadUsage(run, request)));
}

async function loadUsage(
  run: RunReader,
  request: OverageRequest,
): Promise<[OverageQuestion[], ReadonlyMap<string, WindowTotal>]> {
  const questions = await loadQuestions(run, request);
  const usage = await readUsage(
    questions.flatMap(({ windows }) => windows),
    run,
  );
  return [questions, usage];
}

/**
 * One line of a preview with the events behind it. The quantities of a window's events add up to what it used, and those windows
 * rate to the line.
 *
 * @throws InputError `not_found`
 */
export async function explainOverageLine(
  run: RunReader,
  request: OverageRequest,
  lineId: string,
): Promise<{ line: OverageLine; events: MeteredEvent[] }> {
  const questions = await loadQuestions(run, request);
  const question = questions.find((one) => one.lineId === lineId);
  const line = question === undefined ? undefined : await readLine(question, run);
  if (question === undefined || line === undefined) {
    throw new InputError(
      'not_found',
      `no overage line ${lineId} in ${request.month ?? 'this period'}; headgate billing preview lists a month's lines, and --period 2026-09 ` +
        'looks into another month',
      { status: 404 },
    );
  }
  return { line, events: await readMeteredEvents(question.windows, run) };
}

async function readLine(question: OverageQuestion, run: RunReader): Promise<OverageLine | undefined> {
  return planOverage([question], await readUsage(question.windows, run)).lines[0];
}
