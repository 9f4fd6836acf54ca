import type Stripe from 'stripe';
import { RefusedError } from '../../../core/errors.js';
import { isMissing, refusalOfStripe } from './stripe-client.js';

/**
 * Deletes a draft with all that is on it; one that is gone already, or was voided, is fine.
 *
 * @throws RefusedError `conflict` when it is no draft any more; else as `refusalOfStripe`
 */
export async function removeDraft(stripe: Stripe, invoiceId: string): Promise<void> {
  try {
    const { status } = await stripe.invoices.retrieve(invoiceId);
    if (status === 'void') return;
    if (status !== 'draft') throw isFinal(invoiceId, status);
    await stripe.invoices.del(invoiceId);
  } catch (error) {
    if (isMissing(error)) return;
    throw refusalOfStripe(error);
  }
}

function isFinal(invoiceId: string, status: string | null): RefusedError {
  return new RefusedError(
    'conflict',
    `${invoiceId} is ${status ?? 'final'}: it was charged or will be, so its bill stands; run billing again, or void it at Stripe first`,
  );
}
