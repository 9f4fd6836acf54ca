import { MICROS_PER_SECOND, type Instant, type Period } from '../../core/time.js';
import type { HashHex } from '../../core/identity.js';
import {
  INTENT_MARK,
  intentIdOf,
  type Intent,
  type IntentKind,
  type IntentPurpose,
  type OutsideAccount,
  type RequestParameters,
} from '../../platform/outbound/intent.js';
import { periodWords } from '../adjustments/adjustment-text.js';
import type { Bill, BillLine } from './bill-plan.js';
import { stripeAmount } from '../../platform/outbound/stripe/stripe-amounts.js';

/** What all intents of one overage run have in common. */
export interface BillContext {
  readonly account: OutsideAccount;
  readonly month: string;
  readonly ending: Period;
  readonly sha256: HashHex;
}

/** Of a credit note on a paid invoice: what goes to the customer's balance, which is all of it. */
export const CREDIT_AMOUNT = 'credit_amount';
/** Far below what Stripe takes. */
const MEMO_LENGTH = 480;

/**
 * The writes that make a bill an invoice, in order: the draft, an item for each line, the carried amount, its end. The invoice is ours
 * alone: it takes up nobody's pending items, and nothing happens to it before we say so. A credit note is one write.
 */
export function billIntents(bill: Bill, context: BillContext): Intent[] {
  if (bill.credits !== null) return [creditNoteIntent(bill, bill.credits, context)];
  const invoice = invoiceIntent(bill, context);
  const items = bill.lines
    .filter(({ chargedMinor }) => chargedMinor !== 0n)
    .map((line) => lineIntent(bill, line, invoice.intentId, context));
  const carried = bill.carriedItemMinor === 0n ? [] : [carriedIntent(bill, invoice.intentId, context)];
  return [invoice, ...items, ...carried, finalizeIntent(bill, invoice.intentId, context)];
}

/** The id of the item that bills a line. */
export function lineIntentId(line: BillLine, context: BillContext): string {
  return intentIdOf(purposeOfLine(line, context), context.sha256);
}

/** The id of the item that bills what earlier months left. */
export function carriedIntentId(bill: Bill, context: BillContext): string {
  return intentIdOf(purposeOf('invoice_item', bill, context), context.sha256);
}

/** Of a write that is of a bill as a whole. */
function purposeOf(
  kind: IntentKind,
  { orgId, currency, sequence }: Bill,
  { account, ending }: BillContext,
): IntentPurpose {
  return { ...account, kind, scope: `${orgId} ${currency}`, meter: null, period: ending, sequence };
}

function purposeOfLine({ rated, sequence }: BillLine, { account }: BillContext): IntentPurpose {
  const { lineId, orgId, subscriptionId, meterId, period, adjustment } = rated;
  const scope = `${orgId}/${subscriptionId}`;
  // No meter is called as a line is: what is not usage has an identity of its own.
  const meter = adjustment === null ? meterId : lineId;
  return { ...account, kind: 'invoice_item', scope, meter, period, sequence };
}

function invoiceIntent(bill: Bill, context: BillContext): Intent {
  const { billId, orgId, currency, payer } = bill;
  const purpose = purposeOf('invoice', bill, context);
  const intentId = intentIdOf(purpose, context.sha256);
  const { collection } = payer;
  const parameters: RequestParameters = {
    customer: payer.customerId,
    currency: currency.toLowerCase(),
    auto_advance: false,
    automatic_tax: { enabled: false },
    collection_method: collection.method,
    ...(collection.method === 'send_invoice' ? { days_until_due: collection.daysUntilDue } : {}),
    pending_invoice_items_behavior: 'exclude',
    description: `Usage over what is included, in periods that ended in ${context.month.slice(0, 7)}`,
    metadata: { [INTENT_MARK]: intentId, bill_id: billId, org_id: orgId },
  };
  return {
    intentId,
    purpose,
    request: { path: '/v1/invoices', parameters, on: null, onParameter: null },
  };
}

function lineIntent(bill: Bill, line: BillLine, invoiceIntentId: string, context: BillContext): Intent {
  const { rated, chargedMinor } = line;
  return itemIntent(bill, purposeOfLine(line, context), invoiceIntentId, context, {
    amountMinor: chargedMinor,
    description: describeLine(line),
    marks: {
      line_id: rated.lineId,
      ...(rated.meterId === '' ? {} : { meter: rated.meterId }),
      ...(rated.adjustment === null ? {} : { kind: rated.adjustment.kind }),
    },
  });
}

function carriedIntent(bill: Bill, invoiceIntentId: string, context: BillContext): Intent {
  const { billId, carriedItemMinor } = bill;
  return itemIntent(bill, purposeOf('invoice_item', bill, context), invoiceIntentId, context, {
    amountMinor: carriedItemMinor,
    description: carriedItemMinor > 0n ? 'Carried over from earlier months' : 'Credit from earlier months',
    marks: { bill_id: billId },
  });
}

function itemIntent(
  { payer, currency }: Bill,
  purpose: IntentPurpose,
  on: string,
  { sha256 }: BillContext,
  item: {
    readonly amountMinor: bigint;
    readonly description: string;
    readonly marks: Readonly<Record<string, string>>;
  },
): Intent {
  const intentId = intentIdOf(purpose, sha256);
  const { start, end } = purpose.period;
  const parameters: RequestParameters = {
    customer: payer.customerId,
    currency: currency.toLowerCase(),
    // An amount is what it is: a coupon of the customer's takes nothing off it.
    discountable: false,
    amount: stripeAmount({ amountMinor: item.amountMinor, currency }),
    description: item.description,
    period: { start: seconds(start), end: seconds(end) },
    metadata: { [INTENT_MARK]: intentId, ...item.marks },
  };
  return { intentId, purpose, request: { path: '/v1/invoiceitems', parameters, on, onParameter: 'invoice' } };
}

function creditNoteIntent(
  bill: Bill,
  { invoiceId, isPaid }: NonNullable<Bill['credits']>,
  context: BillContext,
): Intent {
  const { billId, orgId, currency, totalMinor, lines } = bill;
  const purpose = purposeOf('credit_note', bill, context);
  const intentId = intentIdOf(purpose, context.sha256);
  const amount = stripeAmount({ amountMinor: -totalMinor, currency });
  const what = [...new Set(lines.map(({ rated }) => rated.adjustment?.words ?? rated.meterId))].join(', ');
  const parameters: RequestParameters = {
    invoice: invoiceId,
    amount,
    ...(isPaid ? { [CREDIT_AMOUNT]: amount } : {}),
    memo: `Usage in periods that ended in ${context.month.slice(0, 7)}, corrected: ${what}`.slice(
      0,
      MEMO_LENGTH,
    ),
    metadata: { [INTENT_MARK]: intentId, bill_id: billId, org_id: orgId },
  };
  return {
    intentId,
    purpose,
    request: { path: '/v1/credit_notes', parameters, on: null, onParameter: null },
  };
}

function finalizeIntent(bill: Bill, on: string, context: BillContext): Intent {
  const purpose = purposeOf('finalize', bill, context);
  return {
    intentId: intentIdOf(purpose, context.sha256),
    purpose,
    request: {
      path: '/v1/invoices/:on/finalize',
      parameters: { auto_advance: true },
      on,
      onParameter: null,
    },
  };
}

function describeLine({ rated, sequence }: BillLine): string {
  const { meterId, used, included, overage, period, adjustment } = rated;
  const correction = sequence === 1 ? '' : ' (correction)';
  if (adjustment !== null) return `${adjustment.words}${correction}`;
  return `${meterId}, ${periodWords(period)}: ${used} used, ${included ?? 'all'} included, ${overage} over${correction}`;
}

function seconds(at: Instant): number {
  return Number(at / MICROS_PER_SECOND);
}
