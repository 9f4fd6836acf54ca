import { invariant } from '../../core/errors.js';
import { sendable } from '../../platform/outbound/intent.js';
import type { KeptIntent } from '../../platform/outbound/intent-store.js';
import type { OutsideObject } from '../../platform/outbound/other-side.js';
import { stripeAmount } from '../../platform/outbound/stripe/stripe-amounts.js';
import type { KeptBill } from './bill-store.js';
import { CREDIT_AMOUNT } from './bill-intents.js';
import type { ExecuteDeps } from './execute-bills.js';
import { creditableOf } from './load-homes.js';
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
  const creditable = creditableOf(await readInvoice(invoiceId));
  const wasPaid = CREDIT_AMOUNT in request.parameters;
  if (creditable?.isPaid === wasPaid && creditable.leftMinor === creditableMinor) return null;
  return {
    code: INVOICE_CHANGED,
    message: `${invoiceId} was paid, credited or voided since this was planned; the next run of its month takes it back and plans it anew`,
  };
}

/** What a note's intent has made, also where nobody heard of it. */
export async function notesMade(
  { intentId, request, attempt, object }: KeptIntent,
  { side }: Pick<ExecuteDeps, 'side'>,
): Promise<readonly OutsideObject[]> {
  if (object !== null) return [object];
  if (attempt === 0) return [];
  return side.find({ intentId, kind: 'credit_note', request: sendable(request, null) });
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
