import { invariant } from '../../core/errors.js';
import { sendable } from '../../platform/outbound/intent.js';
import type { KeptIntent } from '../../platform/outbound/intent-store.js';
import { stripeAmount } from '../../platform/outbound/stripe/stripe-amounts.js';
import type { KeptBill } from './bill-store.js';
import { CREDIT_AMOUNT } from './bill-intents.js';
import type { ExecuteDeps } from './execute-bills.js';
import { creditableInvoice } from './load-homes.js';
import { INVOICE_CHANGED } from './read-bills.js';
import type { Break } from './reconcile.js';

/**
 * Why a credit note may not be sent as it was written down; null when it may. What it was written for may have changed: the invoice was
 * paid, or credited by hand. Not asked of a note that is there: then the invoice shows the note itself.
 */
export async function objectionToCreditNote(
  bill: KeptBill,
  { request }: KeptIntent,
  { readInvoice }: Pick<ExecuteDeps, 'readInvoice'>,
): Promise<KeptIntent['problem']> {
  const { invoiceId, creditableMinor } = bill;
  invariant(invoiceId !== null, `credit note ${bill.billId} is on an invoice`);
  const invoice = creditableInvoice({ ...bill, refusals: 0 }, await readInvoice(invoiceId));
  const wasPaid = CREDIT_AMOUNT in request.parameters;
  if (invoice !== null && invoice.isPaid === wasPaid && invoice.leftMinor === creditableMinor) return null;
  return {
    code: INVOICE_CHANGED,
    message: `${invoiceId} was paid, credited or voided since this was planned; the next run of its month takes it back and plans it anew`,
  };
}

/** Whether a note that was sent once is there, whoever heard of it. */
export async function isNoteThere(
  { intentId, request, attempt }: KeptIntent,
  { side }: Pick<ExecuteDeps, 'side'>,
): Promise<boolean> {
  if (attempt === 0) return false;
  const found = await side.find({ intentId, kind: 'credit_note', request: sendable(request, null) });
  return found.length > 0;
}

/** Holds a credit note against Stripe as it stands there now. */
export async function checkCreditNote(
  { billId, creditNoteId, invoiceId, customerId, currency, totalMinor }: KeptBill,
  { readCreditNote }: Pick<ExecuteDeps, 'readCreditNote'>,
): Promise<Break[]> {
  if (creditNoteId === null) return [];
  const note = await readCreditNote(creditNoteId);
  if (note === null || note.isVoid) {
    const message = `${creditNoteId} was voided at Stripe; headgate billing withdraw ${billId} lets the next run credit it anew`;
    return [{ cause: 'missing', message }];
  }
  const amount = BigInt(stripeAmount({ amountMinor: -totalMinor, currency }));
  const found: readonly (Break | null)[] = [
    note.customerId === customerId && note.invoiceId === invoiceId
      ? null
      : {
          cause: 'customer',
          message: `${creditNoteId} is on ${note.invoiceId ?? 'no invoice'} and should be on ${invoiceId ?? 'one'}`,
        },
    note.currency === currency
      ? null
      : { cause: 'currency', message: `${creditNoteId} is in ${note.currency} and should be in ${currency}` },
    note.amount === amount
      ? null
      : { cause: 'amount', message: `${creditNoteId} is of ${note.amount} and should be of ${amount}` },
  ];
  return found.filter((one) => one !== null);
}
