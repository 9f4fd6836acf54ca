import type Stripe from 'stripe';
import { RefusedError } from '../../../core/errors.js';
import { INTENT_MARK } from '../intent.js';
import { allOf } from './asking.js';
import { isMissing, refusalOfStripe } from './stripe-client.js';

/** A draft of ours, with the marks of what we put on it. */
export interface OwnDraft {
  readonly invoiceId: string;
  readonly customerId: string;
  readonly intentIds: ReadonlySet<string>;
}

/**
 * Deletes a draft and what we put on it; one that is gone already, or was voided, is fine. Our items go first: what stood on a draft
 * that is deleted may wait for the customer's next invoice, whoever makes that. One that was left so is deleted too.
 *
 * @throws RefusedError `conflict` when it is no draft any more; else as `refusalOfStripe`
 */
export async function removeDraft(stripe: Stripe, draft: OwnDraft): Promise<void> {
  try {
    if (await isDraft(stripe, draft.invoiceId)) {
      await removeItems(stripe, { invoice: draft.invoiceId }, draft);
      await unlessGone(() => stripe.invoices.del(draft.invoiceId));
    }
    await removeItems(stripe, { customer: draft.customerId, pending: true }, draft);
  } catch (error) {
    throw refusalOfStripe(error);
  }
}

async function isDraft(stripe: Stripe, invoiceId: string): Promise<boolean> {
  try {
    const { status } = await stripe.invoices.retrieve(invoiceId);
    if (status === 'draft') return true;
    if (status === 'void') return false;
    throw isFinal(invoiceId, status);
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function removeItems(
  stripe: Stripe,
  where: Stripe.InvoiceItemListParams,
  { intentIds }: OwnDraft,
): Promise<void> {
  for (const { id, metadata } of await allOf(() => stripe.invoiceItems.list({ ...where, limit: 100 }))) {
    if (intentIds.has(metadata?.[INTENT_MARK] ?? '')) await unlessGone(() => stripe.invoiceItems.del(id));
  }
}

/** Somebody else was faster: it is gone all the same. */
async function unlessGone(remove: () => Promise<unknown>): Promise<void> {
  try {
    await remove();
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

function isFinal(invoiceId: string, status: string | null): RefusedError {
  return new RefusedError(
    'conflict',
    `${invoiceId} is ${status ?? 'final'}: it was charged or will be, so its bill stands; run billing again, or void it at Stripe first`,
  );
}
