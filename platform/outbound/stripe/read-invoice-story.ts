import type Stripe from 'stripe';
import { allOf, asking, PAGE } from './asking.js';
import { idOf } from './id-of.js';
import type { Prices, ReadPrice } from './read-price.js';

/** Everything that has happened to an invoice, as Stripe says it now. Amounts are in Stripe's minor unit, times in seconds. */
export interface InvoiceStory {
  readonly invoiceId: string;
  readonly customerId: string;
  readonly subscriptionId: string | null;
  readonly status: 'open' | 'paid' | 'uncollectible' | 'void';
  readonly currency: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly total: bigint;
  readonly tax: bigint;
  readonly paid: bigint;
  readonly remaining: bigint;
  readonly finalizedAt: number;
  readonly dueAt: number | null;
  readonly paidAt: number | null;
  readonly voidedAt: number | null;
  readonly uncollectibleAt: number | null;
  readonly attemptCount: number;
  readonly isAttempted: boolean;
  readonly nextPaymentAttemptAt: number | null;
  readonly lines: readonly StoryLine[];
  readonly payments: readonly StoryPayment[];
  readonly charges: readonly StoryCharge[];
  readonly creditNotes: readonly StoryNote[];
  readonly refunds: readonly StoryRefund[];
  readonly disputes: readonly StoryDispute[];
}

export interface StoryLine {
  readonly lineId: string;
  readonly description: string | null;
  /** Without discounts and tax. */
  readonly net: bigint;
  readonly tax: bigint;
  readonly quantity: string | null;
  readonly periodStart: number;
  readonly periodEnd: number;
  readonly isOfSubscription: boolean;
  readonly price: ReadPrice | null;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface StoryPayment {
  readonly paymentId: string;
  readonly intentId: string | null;
  readonly amount: bigint;
  readonly paidAt: number;
}

export interface StoryCharge {
  readonly chargeId: string;
  readonly status: string;
  readonly amount: bigint;
  readonly at: number;
}

export interface StoryNote {
  readonly noteId: string;
  readonly at: number;
  readonly voidedAt: number | null;
  readonly lines: readonly { readonly lineId: string | null; readonly net: bigint; readonly tax: bigint }[];
}

export interface StoryRefund {
  readonly refundId: string;
  readonly status: string;
  readonly amount: bigint;
  readonly at: number;
}

export interface StoryDispute {
  readonly disputeId: string;
  readonly status: string;
  readonly amount: bigint;
  readonly at: number;
  /** Of one that was decided. Stripe's dispute does not say when; its event does, else when evidence was due stands for it. */
  readonly closedAt: number | null;
}

const STATUSES = ['open', 'paid', 'uncollectible', 'void'] as const;
const DECIDED = ['won', 'lost'];
const BY_PAGE = { limit: PAGE };

/**
 * Asks for an invoice and all that hangs on it.
 *
 * @returns null for one that is not there, and for a draft: that is no invoice yet
 * @throws RefusedError or UnavailableError when Stripe can't be asked
 */
export async function readInvoiceStory(
  stripe: Stripe,
  prices: Prices,
  invoiceId: string,
): Promise<InvoiceStory | null> {
  const invoice = await asking(() => stripe.invoices.retrieve(invoiceId));
  const status = STATUSES.find((one) => one === invoice?.status);
  const customerId = idOf(invoice?.customer);
  if (invoice === null || status === undefined || customerId === null) return null;
  const payments = await allOf(() => stripe.invoicePayments.list({ invoice: invoiceId, ...BY_PAGE }));
  const intents = payments.map(({ payment }) => idOf(payment.payment_intent)).filter((id) => id !== null);
  const charges = invoice.attempted ? await ofIntents(intents, (of) => stripe.charges.list(of)) : [];
  const wasCharged = charges.some(({ paid }) => paid);
  const transitions = invoice.status_transitions;
  return {
    invoiceId,
    customerId,
    subscriptionId: idOf(invoice.parent?.subscription_details?.subscription),
    status,
    currency: invoice.currency.toUpperCase(),
    metadata: invoice.metadata ?? {},
    total: BigInt(invoice.total),
    tax: sum((invoice.total_taxes ?? []).map((tax) => tax.amount)),
    paid: BigInt(invoice.amount_paid),
    remaining: BigInt(invoice.amount_remaining),
    finalizedAt: transitions.finalized_at ?? invoice.created,
    dueAt: invoice.due_date,
    paidAt: transitions.paid_at,
    voidedAt: transitions.voided_at,
    uncollectibleAt: transitions.marked_uncollectible_at,
    attemptCount: invoice.attempt_count,
    isAttempted: invoice.attempted,
    nextPaymentAttemptAt: invoice.next_payment_attempt,
    lines: await readLines(stripe, prices, invoice),
    payments: payments.flatMap(readPayment),
    charges: charges.map(readCharge),
    creditNotes: await readNotes(stripe, invoiceId),
    refunds: wasCharged ? (await ofIntents(intents, (of) => stripe.refunds.list(of))).map(readRefund) : [],
    disputes: charges.some(({ disputed }) => disputed) ? await readDisputes(stripe, intents) : [],
  };
}

/** The invoice that a payment intent pays; null for a payment that is of none. */
export async function invoiceOfIntent(stripe: Stripe, intentId: string): Promise<string | null> {
  const [payment] = await allOf(() =>
    stripe.invoicePayments.list({
      payment: { type: 'payment_intent', payment_intent: intentId },
      ...BY_PAGE,
    }),
  );
  return idOf(payment?.invoice);
}

async function ofIntents<One>(
  intents: readonly string[],
  list: (of: { payment_intent: string; limit: number }) => AsyncIterable<One>,
): Promise<One[]> {
  const found: One[] = [];
  for (const intent of intents)
    found.push(...(await allOf(() => list({ payment_intent: intent, ...BY_PAGE }))));
  return found;
}

async function readLines(stripe: Stripe, prices: Prices, invoice: Stripe.Invoice): Promise<StoryLine[]> {
  const lines = invoice.lines.has_more
    ? await allOf(() => stripe.invoices.listLineItems(invoice.id, BY_PAGE))
    : invoice.lines.data;
  const read: StoryLine[] = [];
  for (const line of lines) {
    const priceId = idOf(line.pricing?.price_details?.price);
    const discount = sum((line.discount_amounts ?? []).map(({ amount }) => amount));
    read.push({
      lineId: line.id,
      description: line.description,
      ...withoutTax(BigInt(line.amount) - discount, line.taxes),
      quantity: line.quantity_decimal?.toString() ?? null,
      periodStart: line.period.start,
      periodEnd: line.period.end,
      isOfSubscription: line.parent?.subscription_item_details != null,
      price: priceId === null ? null : await prices.read(priceId),
      metadata: line.metadata,
    });
  }
  return read;
}

async function readNotes(stripe: Stripe, invoiceId: string): Promise<StoryNote[]> {
  const notes = await allOf(() => stripe.creditNotes.list({ invoice: invoiceId, ...BY_PAGE }));
  const read: StoryNote[] = [];
  for (const note of notes) {
    const lines = note.lines.has_more
      ? await allOf(() => stripe.creditNotes.listLineItems(note.id, BY_PAGE))
      : note.lines.data;
    read.push({
      noteId: note.id,
      at: note.created,
      voidedAt: note.voided_at,
      lines: lines.map((line) => ({
        lineId: line.invoice_line_item ?? null,
        ...withoutTax(BigInt(line.amount) - BigInt(line.discount_amount), line.taxes),
      })),
    });
  }
  return read;
}

async function readDisputes(stripe: Stripe, intents: readonly string[]): Promise<StoryDispute[]> {
  const disputes = await ofIntents(intents, (of) => stripe.disputes.list(of));
  const read: StoryDispute[] = [];
  for (const { id, status, amount, created, evidence_details: evidence } of disputes) {
    const closedAt = DECIDED.includes(status)
      ? ((await closingTime(stripe, id, created)) ?? evidence.due_by ?? created)
      : null;
    read.push({ disputeId: id, status, amount: BigInt(amount), at: created, closedAt });
  }
  return read;
}

async function closingTime(stripe: Stripe, disputeId: string, since: number): Promise<number | null> {
  const events = await allOf(() =>
    stripe.events.list({ type: 'charge.dispute.closed', created: { gte: since }, ...BY_PAGE }),
  );
  const closing = events.find(
    ({ data }) => 'object' in data && 'id' in data.object && data.object.id === disputeId,
  );
  return closing?.created ?? null;
}

function readPayment(payment: Stripe.InvoicePayment): StoryPayment[] {
  const { id, status, amount_paid: amount, status_transitions: times, payment: by } = payment;
  if (status !== 'paid' || amount === null) return [];
  const paidAt = times.paid_at ?? payment.created;
  return [{ paymentId: id, intentId: idOf(by.payment_intent), amount: BigInt(amount), paidAt }];
}

function readCharge({ id, status, amount, created }: Stripe.Charge): StoryCharge {
  return { chargeId: id, status, amount: BigInt(amount), at: created };
}

function readRefund({ id, status, amount, created }: Stripe.Refund): StoryRefund {
  return { refundId: id, status: status ?? 'pending', amount: BigInt(amount), at: created };
}

interface Taxed {
  readonly amount: number;
  readonly tax_behavior: string;
}

/** Tax that is in the price is in the amount, too. */
function withoutTax(amount: bigint, taxes: readonly Taxed[] | null): { net: bigint; tax: bigint } {
  const all = taxes ?? [];
  const within = all.filter(({ tax_behavior: behavior }) => behavior === 'inclusive');
  return { net: amount - sum(within.map((tax) => tax.amount)), tax: sum(all.map((tax) => tax.amount)) };
}

function sum(amounts: readonly number[]): bigint {
  return amounts.reduce((total, amount) => total + BigInt(amount), 0n);
}
