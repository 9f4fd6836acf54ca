import type { PublishedCatalog } from '../../core/catalog/tables.js';
import type { Instant, Period } from '../../core/time.js';
import type { RunReader } from '../../platform/warehouse/warehouse.js';
import { readUsage } from '../metered-usage.js';
import { openQuestions, windowsOf } from '../org-usage.js';
import { overageQuestions, rateUsage, type ChoicesIn, type OverageLine } from '../overage-plan.js';
import { loadBooks } from '../preview-overage.js';

export interface UsagePeriodsRequest {
  readonly catalogs: readonly PublishedCatalog[];
  /** The run's. */
  readonly asOf: Instant;
  readonly orgId: string | undefined;
  /** What orgs chose for when their limits are reached. */
  readonly choicesIn?: ChoicesIn | undefined;
  /** Periods that ended in it, and are over; null: those that are open. */
  readonly ending: Period | null;
}

/**
 * Every meter of subscription periods, rated, also where nothing is over: by org and line. What changes what usage comes to (credits,
 * caps, discounts) is of a whole period and not in it.
 */
export async function usagePeriods(
  run: RunReader,
  { catalogs, asOf, orgId, choicesIn, ending }: UsagePeriodsRequest,
): Promise<OverageLine[]> {
  const books = await loadBooks(run, catalogs, orgId, choicesIn);
  const questions = ending === null ? openQuestions(books, asOf) : overageQuestions(books, ending, asOf);
  return rateUsage(questions, await readUsage(windowsOf(questions), run, asOf));
}
