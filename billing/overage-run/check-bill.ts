import type { KeptBill } from './bill-store.js';
import { checkCreditNote } from './check-credit-note.js';
import { expectedItems, goneInvoice, type ExecuteDeps } from './execute-bills.js';
import { reconcileInvoice, type Break } from './reconcile.js';

/**
 * Holds a bill against its invoice, or its credit note, as it stands at Stripe now: Σ rated = Σ intents = Σ lines, one to one. Reads only.
 *
 * @returns nothing when they are the same; what has no invoice yet, or none any more, has nothing to hold it against
 */
export async function checkBill(
  bill: KeptBill,
  { store, intents, readInvoice, readCreditNote }: ExecuteDeps,
): Promise<Break[]> {
  if (bill.invoiceId === null || bill.state === 'withdrawn') return [];
  if (bill.creditsBillId !== null) return checkCreditNote(bill, { readCreditNote });
  const lines = await store.linesOf(bill.billId);
  const kept = await intents.ofGroup(bill.billId);
  const undone = kept.filter(({ state }) => state !== 'done' && state !== 'planned');
  const missing = undone.map(({ intentId, state, problem }): Break => ({
    cause: state === 'quarantined' ? 'duplicate' : 'missing',
    message: `${intentId} is ${state}${problem === null ? '' : `: ${problem.message}`}`,
  }));
  const items = expectedItems(
    bill,
    lines,
    kept.filter(({ state }) => state === 'done'),
  );
  const invoice = await readInvoice(bill.invoiceId);
  if (invoice === null) return [...missing, goneInvoice(bill, bill.invoiceId)];
  return [...missing, ...reconcileInvoice(invoice, items, bill.customerId)];
}
