import { formatDate, dateInUtc, MICROS_PER_SECOND, type Instant, type Period } from '../../core/time.js';
import type { HashHex } from '../../core/identity.js';
import {
  intentIdOf,
  type Intent,
  type IntentKind,
  type OutsideAccount,
  type RequestParameters,
} from '../../platform/outbound/intent.js';
import { INTENT_MARK } from '../../platform/outbound/stripe/stripe-side.js';
import type { Bill, BillLine } from './bill-plan.js';
import { stripeAmount } from './stripe-amounts.js';

/** What all intents of one overage run have in common. */
export interface BillContext {
  readonly account: OutsideAccount;
  readonly month: string;
  readonly ending: Period;
  readonly sha256: HashHex;
}

/**
 * The writes that make a bill an invoice, in order: the draft, an item for each line, the carried amount, its end. The invoice is ours
 * alone: it takes up nobody's pending items, and nothing happens to it before we say so.
 */
export function billIntents(bill: Bill, context: BillContext): Intent[] {
  const invoice = invoiceIntent(bill, context);
  const items = bill.lines
    .filter(({ chargedMinor }) => chargedMinor !== 0n)
    .map((line) => lineIntent(bill, line, invoice.intentId, context));
  const carried = bill.carriedItemMinor === 0n ? [] : [carriedIntent(bill, invoice.intentId, context)];
  return [invoice, ...items, ...carried, finalizeIntent(bill, invoice.intentId, context)];
}

/** The id of the item that bills a line. */
export function lineIntentId({ rated, sequence }: BillLine, context: BillContext): string {
  return idFor(
    'invoice_item',
    `${rated.orgId}/${rated.subscriptionId}`,
    rated.meterId,
    rated.period,
    sequence,
    context,
  );
}

/** The id of the item that bills what earlier months left. */
export function carriedIntentId({ orgId, currency, sequence }: Bill, context: BillContext): string {
  return idFor('invoice_item', `${orgId} ${currency}`, null, context.ending, sequence, context);
}

function idFor(
  kind: IntentKind,
  scope: string,
  meter: string | null,
  period: Period,
  sequence: number,
  { account, sha256 }: BillContext,
): string {
  return intentIdOf({ ...account, kind, scope, meter, period, sequence }, sha256);
}

function invoiceIntent({ billId, orgId, currency, sequence, payer }: Bill, context: BillContext): Intent {
  const { account, ending, month } = context;
  const scope = `${orgId} ${currency}`;
  const intentId = idFor('invoice', scope, null, ending, sequence, context);
  const { collection } = payer;
  const parameters: RequestParameters = {
    customer: payer.customerId,
    currency: currency.toLowerCase(),
    auto_advance: false,
    automatic_tax: { enabled: false },
    collection_method: collection.method,
    ...(collection.method === 'send_invoice' ? { days_until_due: collection.daysUntilDue } : {}),
    pending_invoice_items_behavior: 'exclude',
    description: `Usage over what is included, in periods that ended in ${month.slice(0, 7)}`,
    metadata: { [INTENT_MARK]: intentId, bill_id: billId, org_id: orgId },
  };
  return {
    intentId,
    purpose: { ...account, kind: 'invoice', scope, meter: null, period: ending, sequence },
    request: { path: '/v1/invoices', parameters, on: null, onParameter: null },
  };
}

function lineIntent(bill: Bill, line: BillLine, invoiceIntentId: string, context: BillContext): Intent {
  const { rated, sequence, chargedMinor } = line;
  const intentId = lineIntentId(line, context);
  return {
    intentId,
    purpose: {
      ...context.account,
      kind: 'invoice_item',
      scope: `${rated.orgId}/${rated.subscriptionId}`,
      ...{ meter: rated.meterId, period: rated.period, sequence },
    },
    request: itemRequest(bill, invoiceIntentId, {
      amount: stripeAmount({ amountMinor: chargedMinor, currency: bill.currency }),
      description: describeLine(line),
      period: { start: seconds(rated.period.start), end: seconds(rated.period.end) },
      metadata: { [INTENT_MARK]: intentId, line_id: rated.lineId, meter: rated.meterId },
    }),
  };
}

function carriedIntent(bill: Bill, invoiceIntentId: string, context: BillContext): Intent {
  const { orgId, currency, sequence, carriedItemMinor } = bill;
  const { account, ending } = context;
  const intentId = carriedIntentId(bill, context);
  return {
    intentId,
    purpose: {
      ...account,
      kind: 'invoice_item',
      scope: `${orgId} ${currency}`,
      ...{ meter: null, period: ending, sequence },
    },
    request: itemRequest(bill, invoiceIntentId, {
      amount: stripeAmount({ amountMinor: carriedItemMinor, currency }),
      description: carriedItemMinor > 0n ? 'Carried over from earlier months' : 'Credit from earlier months',
      period: { start: seconds(ending.start), end: seconds(ending.end) },
      metadata: { [INTENT_MARK]: intentId, bill_id: bill.billId },
    }),
  };
}

function itemRequest(
  { payer, currency }: Bill,
  on: string,
  parameters: RequestParameters,
): Intent['request'] {
  const whose = { customer: payer.customerId, currency: currency.toLowerCase() };
  // An amount is what it is: a coupon of the customer's takes nothing off it.
  return {
    path: '/v1/invoiceitems',
    parameters: { ...whose, discountable: false, ...parameters },
    on,
    onParameter: 'invoice',
  };
}

function finalizeIntent({ orgId, currency, sequence }: Bill, on: string, context: BillContext): Intent {
  const { account, ending } = context;
  const scope = `${orgId} ${currency}`;
  return {
    intentId: idFor('finalize', scope, null, ending, sequence, context),
    purpose: { ...account, kind: 'finalize', scope, meter: null, period: ending, sequence },
    request: {
      path: '/v1/invoices/:on/finalize',
      parameters: { auto_advance: true },
      on,
      onParameter: null,
    },
  };
}

function describeLine({ rated, sequence }: BillLine): string {
  const { meterId, used, included, overage, period } = rated;
  const from = formatDate(dateInUtc(period.start));
  const to = formatDate(dateInUtc(period.end));
  const correction = sequence === 1 ? '' : ' (correction)';
  return `${meterId}, ${from} to ${to}: ${used} used, ${included ?? 'all'} included, ${overage} over${correction}`;
}

function seconds(at: Instant): number {
  return Number(at / MICROS_PER_SECOND);
}
