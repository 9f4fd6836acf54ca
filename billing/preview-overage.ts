import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Catalog } from '../core/catalog.js';
import { InputError } from '../core/errors.js';
import { parseInstant, type Period } from '../core/time.js';
import type { RunReader } from '../platform/warehouse/warehouse.js';
import { readMeteredEvents, readUsage, type MeteredEvent } from './metered-usage.js';
import {
  overageQuestions,
  planOverage,
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

/** What the overage run of a month would read: subscriptions, their periods that ended in it, and their usage. */
interface Books {
  readonly questions: readonly OverageQuestion[];
}

/** Subscriptions as the run knows them, of one org or of all; test and internal orgs have none. */
export async function loadSubscriptions(run: RunReader, orgId: string | undefined): Promise<Subscription[]> {
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

async function loadBooks(catalog: Catalog, run: RunReader, ending: Period, orgId?: string): Promise<Books> {
  const subscriptions = await loadSubscriptions(run, orgId);
  return { questions: overageQuestions(catalog, subscriptions, ending, md5) };
}

/**
 * What the overage run for the subscription periods that end inside `ending` would bill: its very plan, from usage that counts in
 * the run given. Nothing is written.
 */
export async function previewOverage(
  catalog: Catalog,
  run: RunReader,
  ending: Period,
  orgId?: string,
): Promise<OveragePlan> {
  const { questions } = await loadBooks(catalog, run, ending, orgId);
  const usage = await readUsage(
    catalog,
    questions.flatMap(({ windows }) => windows),
    run,
  );
  return planOverage(catalog, questions, usage);
}

/** The events behind one line of a preview, with the quantities that add up to what it says was used. */
export async function explainOverageLine(
  catalog: Catalog,
  run: RunReader,
  ending: Period,
  lineId: string,
): Promise<{ line: OverageLine; events: MeteredEvent[] }> {
  const { questions } = await loadBooks(catalog, run, ending);
  const question = questions.find((one) => one.lineId === lineId);
  const usage =
    question === undefined ? new Map<string, never>() : await readUsage(catalog, question.windows, run);
  const [line] = question === undefined ? [] : planOverage(catalog, [question], usage).lines;
  if (question === undefined || line === undefined) {
    throw new InputError(
      'not_found',
      `no overage line ${lineId} in this period; headgate billing preview lists them`,
      {
        status: 404,
      },
    );
  }
  return { line, events: await readMeteredEvents(catalog, question.windows, run) };
}
