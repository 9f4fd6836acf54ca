import { allocate } from '../../core/money.js';
import { INTENT_MARK, type OutsideAccount } from '../../platform/outbound/intent.js';
import type {
  InvoiceStory,
  StoryDispute,
  StoryLine,
  StoryNote,
  StoryRefund,
} from '../../platform/outbound/stripe/read-invoice-story.js';
import { KIND_MARK } from '../../platform/outbound/stripe/read-price.js';
import { fact, instantOf, minorOf, sourceOf, takenBack, timeOf, type Fact } from './fact.js';
import { itemKind, LINE_KINDS, type KindOfProduct, type LineKind } from './product-kinds.js';

/**
 * All that happened to an invoice, from how it stands. A pure function: asked again, or by another way, what has happened already is
 * the same facts, and only what is new is added.
 */
export function invoiceFacts(story: InvoiceStory, account: OutsideAccount, kindOf: KindOfProduct): Fact[] {
  const { invoiceId, currency, voidedAt, uncollectibleAt } = story;
  const ended = (type: 'invoice.voided' | 'invoice.uncollectible', at: number | null): Fact[] =>
    at === null
      ? []
      : [fact(type, invoiceId, { objectId: invoiceId, at: instantOf(at), data: { invoiceId } })];
  return [
    finalized(story, kindOf),
    ...payments(story),
    ...story.charges
      .filter(({ status }) => status === 'failed')
      .map(({ chargeId, amount, at }) =>
        fact('invoice.payment_failed', chargeId, {
          objectId: invoiceId,
          at: instantOf(at),
          data: { invoiceId, paymentId: chargeId, amountMinor: minorOf(amount, currency), currency },
        }),
      ),
    ...ended('invoice.voided', voidedAt),
    ...ended('invoice.uncollectible', uncollectibleAt),
    ...story.creditNotes.flatMap((note) => credited(note, story, sourceOf(account))),
    ...story.refunds.flatMap((refund) => refunded(refund, story, sourceOf(account))),
    ...story.disputes.flatMap((dispute) => disputed(dispute, story)),
  ];
}

function finalized(story: InvoiceStory, kindOf: KindOfProduct): Fact {
  const { invoiceId, subscriptionId, currency, total, tax, finalizedAt } = story;
  return fact('invoice.finalized', invoiceId, {
    objectId: invoiceId,
    at: instantOf(finalizedAt),
    data: {
      invoiceId,
      ...(subscriptionId === null ? {} : { subscriptionId }),
      currency,
      totalMinor: minorOf(total, currency),
      ...(tax === 0n ? {} : { taxMinor: minorOf(tax, currency) }),
      lines: story.lines.map((line) => lineOf(line, currency, kindOf)),
    },
  });
}

function lineOf(line: StoryLine, currency: string, kindOf: KindOfProduct): Record<string, unknown> {
  const { lineId, description, net, tax, quantity, periodStart, periodEnd, price, metadata } = line;
  const kind = lineKind(line, kindOf);
  const isOurs = INTENT_MARK in metadata;
  const productId = isOurs ? metadata['meter'] : price?.productId;
  return {
    lineId,
    kind,
    ...(productId === undefined ? {} : { productId }),
    ...(description === null || description === '' ? {} : { description: description.slice(0, 2_000) }),
    amountMinor: minorOf(net, currency),
    ...(tax === 0n ? {} : { taxMinor: minorOf(tax, currency) }),
    // Of our own items it is 1, whatever was used.
    ...(quantity === null || isOurs ? {} : { quantity }),
    ...(periodStart < periodEnd ? { periodStart: timeOf(periodStart), periodEnd: timeOf(periodEnd) } : {}),
  };
}

/** Our own items are overage; else by metadata, then by the price; what is sold once and says nothing is a service. */
function lineKind({ metadata, price, isOfSubscription }: StoryLine, kindOf: KindOfProduct): LineKind {
  if (INTENT_MARK in metadata) return 'overage';
  const marked = LINE_KINDS.find((kind) => kind === metadata[KIND_MARK] || kind === price?.kind);
  if (marked !== undefined) return marked;
  if (price?.isMetered === true) return 'overage';
  if (price !== null && itemKind(price, kindOf) === 'addon') return 'addon';
  return isOfSubscription || (price !== null && price.every !== null) ? 'subscription' : 'services';
}

/** Each payment, and what was paid outside of Stripe, which has no object of its own. */
function payments({ invoiceId, currency, status, paid, paidAt, payments: each }: InvoiceStory): Fact[] {
  const payment = (key: string, paymentId: string, amount: bigint, at: number): Fact =>
    fact('invoice.paid', key, {
      objectId: invoiceId,
      at: instantOf(at),
      data: { invoiceId, paymentId, amountMinor: minorOf(amount, currency), currency },
    });
  const rest = paid - each.reduce((sum, { amount }) => sum + amount, 0n);
  return [
    ...each.map((one) => payment(one.paymentId, one.intentId ?? one.paymentId, one.amount, one.paidAt)),
    ...(status === 'paid' && paidAt !== null && rest > 0n
      ? [payment(`${invoiceId}/outside`, `${invoiceId}/outside`, rest, paidAt)]
      : []),
  ];
}

function credited({ noteId, at, voidedAt, lines }: StoryNote, story: InvoiceStory, source: string): Fact[] {
  const { invoiceId, currency } = story;
  const issued = fact('credit_note.issued', noteId, {
    objectId: invoiceId,
    at: instantOf(at),
    data: {
      creditNoteId: noteId,
      invoiceId,
      currency,
      lines: lines.flatMap((line) => creditedLines(line, story)),
    },
  });
  return voidedAt === null
    ? [issued]
    : [issued, takenBack(issued, source, instantOf(voidedAt), 'the credit note was voided')];
}

/** A credit that names no line of the invoice is spread over all that ask for something. */
function creditedLines(
  { lineId, net, tax }: StoryNote['lines'][number],
  { currency, lines }: InvoiceStory,
): object[] {
  const credit = (id: string, amountMinor: bigint, taxMinor: bigint): object => ({
    ...{ lineId: id, amountMinor },
    ...(taxMinor === 0n ? {} : { taxMinor }),
  });
  const netMinor = minorOf(net, currency);
  const taxMinor = minorOf(tax, currency);
  if (lineId !== null) return [credit(lineId, netMinor, taxMinor)];
  const asking = lines.filter((line) => line.net > 0n);
  if (asking.length === 0) return [];
  const weights = asking.map((line) => line.net);
  const nets = allocate({ amountMinor: netMinor, currency }, weights);
  const taxes = allocate({ amountMinor: taxMinor, currency }, weights);
  return asking
    .map((line, index) => ({
      line,
      part: nets[index]?.amountMinor ?? 0n,
      taxPart: taxes[index]?.amountMinor ?? 0n,
    }))
    .filter(({ part, taxPart }) => part !== 0n || taxPart !== 0n)
    .map(({ line, part, taxPart }) => credit(line.lineId, part, taxPart));
}

/** Money is back once the refund succeeded; one that fails after that took nothing. */
function refunded(
  { refundId, status, amount, at }: StoryRefund,
  story: InvoiceStory,
  source: string,
): Fact[] {
  const { invoiceId, currency } = story;
  const told = fact('invoice.refunded', refundId, {
    objectId: invoiceId,
    at: instantOf(at),
    data: { invoiceId, refundId, currency, amountMinor: minorOf(amount, currency) },
  });
  if (status === 'succeeded') return [told];
  if (status !== 'failed' && status !== 'canceled') return [];
  return [
    takenBack(told, source, instantOf(at), `the refund ${status === 'failed' ? 'failed' : 'was canceled'}`),
  ];
}

/** An inquiry moves no money, and is none. */
function disputed({ disputeId, status, amount, at, closedAt }: StoryDispute, story: InvoiceStory): Fact[] {
  if (status.startsWith('warning_') || status === 'prevented') return [];
  const { invoiceId, currency } = story;
  const data = { disputeId, invoiceId, amountMinor: minorOf(amount, currency), currency };
  const opened = fact('dispute.opened', disputeId, { objectId: invoiceId, at: instantOf(at), data });
  if (closedAt === null) return [opened];
  const closed = { objectId: invoiceId, at: instantOf(closedAt), data: { ...data, outcome: status } };
  return [opened, fact('dispute.closed', disputeId, closed)];
}
