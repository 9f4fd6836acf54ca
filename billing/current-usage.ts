import { createHash } from 'node:crypto';
import type { Catalog } from '../core/catalog.js';
import type { Instant } from '../core/time.js';
import type { RunReader } from '../platform/warehouse/warehouse.js';
import { meteredPeriods, periodAt } from './metered-periods.js';
import { readUsage } from './metered-usage.js';
import { rateUsage, usageQuestions, type OverageLine } from './overage-plan.js';
import { loadSubscriptions } from './preview-overage.js';

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/**
 * What an org has used in the subscription periods that hold `at`, meter by meter, and what it would owe if they ended now: the
 * rating of the overage run, over periods that are still open.
 */
export async function currentUsage(
  catalog: Catalog,
  run: RunReader,
  orgId: string,
  at: Instant,
): Promise<OverageLine[]> {
  const subscriptions = await loadSubscriptions(run, orgId);
  const metered = subscriptions.flatMap((subscription) => {
    const period = periodAt(catalog, subscription, at);
    return period === null ? [] : meteredPeriods(catalog, subscription, period);
  });
  const questions = usageQuestions(metered, md5);
  const usage = await readUsage(
    catalog,
    questions.flatMap(({ windows }) => windows),
    run,
  );
  return rateUsage(catalog, questions, usage);
}
