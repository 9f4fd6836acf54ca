import type { Instant } from '../../core/time.js';
import { MICROS_PER_SECOND } from '../../core/time.js';
import type { OutsideAccount } from '../../platform/outbound/intent.js';
import type { Sql } from '../../platform/sql/sql.js';
import { dunningOf } from '../dunning.js';
import { owedBy } from '../mirrored-invoices.js';
import type { Delinquency } from './decide.js';

/** A check must not cost a question to the store: who pays late was late a moment ago. */
const GOOD_FOR = 10n * MICROS_PER_SECOND;
const MOST_ORGS = 10_000;

/**
 * How late an org is with what it owes, from the mirror of Stripe's invoices: kept for ten seconds.
 *
 * @param graceDaysOf how long the org's stop policy waits
 */
export function paymentDelinquency(
  sql: Sql,
  mode: OutsideAccount['mode'],
  clock: () => Instant,
): (orgId: string, graceDays: number) => Promise<Delinquency> {
  const kept = new Map<string, { readonly until: Instant; readonly is: Promise<Delinquency> }>();
  const read = async (orgId: string, graceDays: number, now: Instant): Promise<Delinquency> => {
    const { state } = dunningOf(await owedBy(sql, mode, orgId), now, graceDays);
    if (state === 'current') return 'none';
    return state === 'past_due' ? 'past_due' : 'paused';
  };
  return (orgId, graceDays) => {
    const now = clock();
    const known = kept.get(orgId);
    if (known !== undefined && known.until > now) return known.is;
    const is = read(orgId, graceDays, now);
    kept.delete(orgId);
    kept.set(orgId, { until: now + GOOD_FOR, is });
    is.catch(() => kept.delete(orgId));
    const [oldest] = kept.size > MOST_ORGS ? kept.keys() : [];
    if (oldest !== undefined) kept.delete(oldest);
    return is;
  };
}
