import { and, eq } from 'drizzle-orm';
import { RefusedError } from '../../core/errors.js';
import { bills } from '../../platform/sql/billing-schema.js';
import { transaction } from '../../platform/sql/sql.js';
import type { KeptBill } from './bill-store.js';
import type { ExecuteDeps } from './execute-bills.js';

/**
 * Lets a bill go that waits for somebody's approval; the next run carries it out. Again does nothing.
 *
 * @throws RefusedError `conflict` when it needs no approval
 */
export async function approveBill(
  { billId, orgId, currency, totalMinor, approvalReason }: KeptBill,
  { reason, actor }: { readonly reason: string; readonly actor: string },
  { sql, audit, store, clock }: Pick<ExecuteDeps, 'sql' | 'audit' | 'store' | 'clock'>,
): Promise<void> {
  const now = clock();
  await transaction(sql, async (database) => {
    const approved = await database
      .update(bills)
      .set({ state: 'planned', approvedBy: actor, approvedAt: now })
      .where(and(eq(bills.billId, billId), eq(bills.state, 'awaiting_approval')))
      .returning({ billId: bills.billId });
    if (approved.length === 0) return;
    const details = { orgId, currency, totalMinor: totalMinor.toString(), asked: approvalReason, reason };
    await audit.appendIn(database, { actor, action: 'bill.approve', target: billId, details }, now);
  });
  const [bill] = await store.reload([billId]);
  if (bill?.approvedAt !== null) return;
  throw new RefusedError('conflict', `${billId} is ${bill.state} and waits for nobody's approval`);
}
