import type { Instant } from '../../core/time.js';
import { MICROS_PER_SECOND } from '../../core/time.js';
import type { OutsideAccount } from '../../platform/outbound/intent.js';
import type { Sql } from '../../platform/sql/sql.js';
import { dunningOf } from '../dunning.js';
import { arrearsIn, type MirroredInvoice } from '../mirrored-invoices.js';
import type { Delinquency } from './decide.js';

/** A check must not cost a question to the store: who pays late was late a moment ago. */
const GOOD_FOR = 10n * MICROS_PER_SECOND;

/** Of orgs in arrears alone: few of all. */
type ArrearsByOrg = ReadonlyMap<string, readonly MirroredInvoice[]>;

/**
 * How late an org is with what it owes, from the mirror of Stripe's invoices: all arrears are read at once, and kept for ten seconds,
 * so that what checks cost does not depend on how many orgs they are about.
 *
 * @param clock by which what was read grows old
 */
export function paymentDelinquency(
  sql: Sql,
  mode: OutsideAccount['mode'],
  clock: () => Instant,
): (orgId: string, graceDays: number) => Promise<Delinquency> {
  let kept: { readonly until: Instant; readonly arrears: Promise<ArrearsByOrg> } | null = null;
  const read = async (now: Instant): Promise<ArrearsByOrg> => {
    const byOrg = new Map<string, MirroredInvoice[]>();
    for (const invoice of await arrearsIn(sql, mode, now)) {
      const others = byOrg.get(invoice.orgId);
      if (others === undefined) byOrg.set(invoice.orgId, [invoice]);
      else others.push(invoice);
    }
    return byOrg;
  };
  return async (orgId, graceDays) => {
    const now = clock();
    if (kept === null || kept.until <= now) {
      const fresh = { until: now + GOOD_FOR, arrears: read(now) };
      kept = fresh;
      fresh.arrears.catch(() => {
        if (kept === fresh) kept = null;
      });
    }
    const { state } = dunningOf((await kept.arrears).get(orgId) ?? [], now, graceDays);
    if (state === 'current') return 'none';
    return state === 'past_due' ? 'past_due' : 'paused';
  };
}
