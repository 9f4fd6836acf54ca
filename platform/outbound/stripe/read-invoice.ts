import type Stripe from 'stripe';
import { isMissing, refusalOfStripe } from './stripe-client.js';

/** A line of an invoice, as it stands at Stripe; the amount in Stripe's minor unit, times in seconds. */
export interface InvoiceLine {
  readonly lineId: string;
  /** The item that it came from; null for a subscription's own. */
  readonly itemId: string | null;
  readonly amount: bigint;
  readonly currency: string;
  readonly periodStart: number;
  readonly periodEnd: number;
}

export interface ReadInvoice {
  readonly invoiceId: string;
  readonly status: string;
  readonly customerId: string | null;
  readonly currency: string;
  readonly total: bigint;
  /** Still to be paid. */
  readonly remaining: bigint;
  /** By credit notes, of whoever. */
  readonly credited: bigint;
  readonly lines: readonly InvoiceLine[];
}

const PAGE = 100;

/**
 * Null when it is not there: a draft can be deleted.
 *
 * @throws RefusedError or UnavailableError when Stripe can't be asked
 */
export async function readInvoice(stripe: Stripe, invoiceId: string): Promise<ReadInvoice | null> {
  try {
    const invoice = await stripe.invoices.retrieve(invoiceId);
    const lines: InvoiceLine[] = [];
    for await (const line of stripe.invoices.listLineItems(invoiceId, { limit: PAGE })) {
      lines.push({
        lineId: line.id,
        itemId:
          line.parent?.invoice_item_details?.invoice_item ??
          line.parent?.subscription_item_details?.invoice_item ??
          null,
        amount: BigInt(line.amount),
        currency: line.currency.toUpperCase(),
        periodStart: line.period.start,
        periodEnd: line.period.end,
      });
    }
    const { customer } = invoice;
    return {
      invoiceId,
      status: invoice.status ?? 'draft',
      customerId: typeof customer === 'string' ? customer : (customer?.id ?? null),
      currency: invoice.currency.toUpperCase(),
      total: BigInt(invoice.total),
      remaining: BigInt(invoice.amount_remaining),
      credited: BigInt(invoice.pre_payment_credit_notes_amount + invoice.post_payment_credit_notes_amount),
      lines,
    };
  } catch (error) {
    if (isMissing(error)) return null;
    throw refusalOfStripe(error);
  }
}
