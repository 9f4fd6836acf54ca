import { HeadgateError } from '../../core/errors.js';
import type { BillBooks } from './bill-books.js';
import type { BillPlan } from './bill-plan.js';
import type { KeptBill } from './bill-store.js';
import { withdrawBill, type WithdrawDeps } from './withdraw-bill.js';

/**
 * Credit notes that can't be made as they were written down: their invoice was paid in between, or Stripe refused them. Their lines go
 * back, so that the plan that is made next credits them anew, as the invoices stand now.
 */
export async function takeBackCreditNotes(
  { orgId, actor }: { readonly orgId: string | null; readonly actor: string },
  deps: WithdrawDeps,
): Promise<void> {
  const stuck = (await deps.store.unfinished(orgId)).filter(
    ({ creditsBillId, state }) => creditsBillId !== null && state !== 'planned',
  );
  await takeBack(stuck, { reason: 'its invoice changed before it was sent', actor }, deps);
}

/**
 * Bills that are not final, of meters that reopen a draft, and of which usage became known since: they are withdrawn with their drafts,
 * so that the plan that is made next has all of it on one.
 *
 * @param plan what a plan would change as things stand; asked only where there is such a draft
 */
export async function reopenDrafts(
  { orgId, actor }: { readonly orgId: string | null; readonly actor: string },
  lateUsage: BillBooks['lateUsage'],
  plan: () => Promise<BillPlan>,
  deps: WithdrawDeps,
): Promise<void> {
  const lines = await deps.store.draftLines(orgId);
  const mayReopen = lines.filter(({ meterId }) => lateUsage(meterId) === 'reopen_draft');
  if (mayReopen.length === 0) return;
  const { bills, carried } = await plan();
  const changed = new Set(
    [...bills, ...carried].flatMap((one) => one.lines.map(({ rated }) => rated.lineId)),
  );
  const billIds = new Set(mayReopen.filter(({ lineId }) => changed.has(lineId)).map(({ billId }) => billId));
  const why = { reason: 'usage of it became known before it was final', actor };
  await takeBack(await deps.store.reload([...billIds]), why, deps);
}

/** One that can't be taken back (somebody made it final by hand, another process is at it) stays, and hinders no other. */
async function takeBack(
  bills: readonly KeptBill[],
  why: { readonly reason: string; readonly actor: string },
  deps: WithdrawDeps,
): Promise<void> {
  for (const bill of bills) {
    try {
      await withdrawBill(bill, why, deps);
    } catch (error) {
      if (!(error instanceof HeadgateError) || error.code !== 'conflict') throw error;
      deps.onProgress(`${bill.billId} stays as it is: ${error.message}`);
    }
  }
}
