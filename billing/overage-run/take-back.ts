import type { LateUsage } from '../../core/catalog/usage.js';
import { HeadgateError } from '../../core/errors.js';
import type { BillBooks } from './bill-books.js';
import type { BillPlan } from './bill-plan.js';
import type { DraftLine, KeptBill } from './bill-store.js';
import { withdrawBill, type WithdrawDeps } from './withdraw-bill.js';

/**
 * Credit notes that can't be made as they were written down: their invoice was paid in between, or Stripe refused them. Their lines go
 * back, so that the plan that is made next credits them anew, as the invoices stand now.
 */
export async function takeBackCreditNotes(
  { month, orgId, actor }: { readonly month: string; readonly orgId: string | null; readonly actor: string },
  deps: WithdrawDeps,
): Promise<void> {
  // Of this month alone: nothing else is planned now.
  const stuck = (await deps.store.unfinished(orgId)).filter(
    (bill) => bill.creditsBillId !== null && bill.state !== 'planned' && bill.month === month,
  );
  await takeBack(stuck, { reason: 'its invoice changed before it was sent', actor }, deps);
}

/**
 * Bills that are not final and would charge what is known to be too much, or, where a meter says so, too little: they are withdrawn with
 * their drafts, so that the plan that is made next has all of it on one.
 *
 * @param plan what a plan would change as things stand; asked only where there is a bill that may be reopened
 * @returns those that can't be: they must come to their end before what they charge too much can be credited
 */
export async function reopenDrafts(
  { orgId, actor }: { readonly orgId: string | null; readonly actor: string },
  lateUsage: BillBooks['lateUsage'],
  plan: () => Promise<BillPlan>,
  deps: WithdrawDeps,
): Promise<KeptBill[]> {
  const lines = await deps.store.draftLines(orgId);
  const policyOf = ({ meterId, kind }: DraftLine): LateUsage =>
    kind === 'usage' ? lateUsage(meterId) : 'credit_note';
  const mayReopen = lines.filter((line) => ['reopen_draft', 'credit_note'].includes(policyOf(line)));
  if (mayReopen.length === 0) return [];
  const { bills, carried } = await plan();
  const changes = new Map(
    [...bills, ...carried].flatMap((one) =>
      one.lines.map(({ rated, amountMinor }) => [rated.lineId, amountMinor] as const),
    ),
  );
  const isReopened = (line: DraftLine): boolean => {
    const change = changes.get(line.lineId) ?? 0n;
    return policyOf(line) === 'reopen_draft' ? change !== 0n : change < 0n;
  };
  const billIds = new Set(mayReopen.filter(isReopened).map(({ billId }) => billId));
  const why = { reason: 'usage of it became known before it was final', actor };
  return takeBack(await deps.store.reload([...billIds]), why, deps);
}

/**
 * One that can't be taken back (it is final at Stripe, by hand or by an answer that was lost; another process is at it) hinders no other.
 *
 * @returns those
 */
async function takeBack(
  bills: readonly KeptBill[],
  why: { readonly reason: string; readonly actor: string },
  deps: WithdrawDeps,
): Promise<KeptBill[]> {
  const left: KeptBill[] = [];
  for (const bill of bills) {
    try {
      await withdrawBill(bill, why, deps);
    } catch (error) {
      if (!(error instanceof HeadgateError) || error.code !== 'conflict') throw error;
      deps.onProgress(`${bill.billId} stays as it is: ${error.message}`);
      left.push(bill);
    }
  }
  return left;
}
