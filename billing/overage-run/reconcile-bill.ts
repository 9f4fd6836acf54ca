import { and, eq, isNull, notInArray } from 'drizzle-orm';
import { derivedId } from '../../core/ids.js';
import { billBreaks } from '../../platform/sql/billing-schema.js';
import { transaction } from '../../platform/sql/sql.js';
import type { KeptBill } from './bill-store.js';
import { checkBill } from './check-bill.js';
import type { ExecuteDeps } from './execute-bills.js';
import type { Break } from './reconcile.js';
import { sha256 } from '../../platform/sha256.js';

/**
 * Holds a bill against Stripe and keeps what it finds: a break is open from the look that first sees it to the one that does not any
 * more. Both are on record.
 *
 * @returns the breaks that are open now
 */
export async function reconcileBill(bill: KeptBill, actor: string, deps: ExecuteDeps): Promise<Break[]> {
  const { billId } = bill;
  const breaks = await checkBill(bill, deps);
  const seen = breaks.map(({ cause, message }) => ({
    ...{ breakId: derivedId('brk', [billId, cause, message], sha256), billId, cause, message },
  }));
  const now = deps.clock();
  await transaction(deps.sql, async (database) => {
    const open = await database
      .select()
      .from(billBreaks)
      .where(and(eq(billBreaks.billId, billId), isNull(billBreaks.closedAt)));
    for (const one of seen) {
      const found = { ...one, foundAt: now, lastSeenAt: now, closedAt: null };
      await database
        .insert(billBreaks)
        .values(found)
        .onConflictDoUpdate({ target: billBreaks.breakId, set: { lastSeenAt: now, closedAt: null } });
    }
    const ids = seen.map(({ breakId }) => breakId);
    await database
      .update(billBreaks)
      .set({ closedAt: now })
      .where(
        and(
          eq(billBreaks.billId, billId),
          isNull(billBreaks.closedAt),
          ids.length === 0 ? undefined : notInArray(billBreaks.breakId, ids),
        ),
      );
    const opened = ids.filter((id) => !open.some(({ breakId }) => breakId === id));
    const closed = open.filter(({ breakId }) => !ids.includes(breakId));
    if (opened.length + closed.length === 0) return;
    const details = { opened, closed: closed.map(({ breakId }) => breakId), invoiceId: bill.invoiceId };
    await deps.audit.appendIn(database, { actor, action: 'bill.reconcile', target: billId, details }, now);
  });
  return breaks;
}
