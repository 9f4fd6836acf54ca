import type Stripe from 'stripe';
import { idOf } from './id-of.js';
import { isMissing, refusalOfStripe } from './stripe-client.js';

/** A credit note as it stands at Stripe; the amount in Stripe's minor unit. */
export interface ReadCreditNote {
  readonly creditNoteId: string;
  readonly invoiceId: string | null;
  readonly customerId: string | null;
  readonly currency: string;
  readonly amount: bigint;
  readonly isVoid: boolean;
}

/**
 * Null when it is not there.
 *
 * @throws RefusedError or UnavailableError when Stripe can't be asked
 */
export async function readCreditNote(stripe: Stripe, creditNoteId: string): Promise<ReadCreditNote | null> {
  try {
    const { invoice, customer, currency, amount, status } = await stripe.creditNotes.retrieve(creditNoteId);
    return {
      creditNoteId,
      invoiceId: idOf(invoice),
      customerId: idOf(customer),
      currency: currency.toUpperCase(),
      amount: BigInt(amount),
      isVoid: status === 'void',
    };
  } catch (error) {
    if (isMissing(error)) return null;
    throw refusalOfStripe(error);
  }
}
