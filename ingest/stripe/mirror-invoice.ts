import { INTENT_MARK, type OutsideAccount } from '../../platform/outbound/intent.js';
import type { InvoiceStory } from '../../platform/outbound/stripe/read-invoice-story.js';
import type { Instant } from '../../core/time.js';
import { instantOf, minorOf } from './fact.js';
import type { MirroredInvoice } from './tell-facts.js';

/** How an invoice stands, as a row of the mirror. */
export function mirrorOf(
  story: InvoiceStory,
  {
    account,
    orgId,
    askedAt,
  }: { readonly account: OutsideAccount; readonly orgId: string; readonly askedAt: Instant },
): MirroredInvoice {
  const { invoiceId, customerId, status, currency, metadata } = story;
  const at = (seconds: number | null): Instant | null => (seconds === null ? null : instantOf(seconds));
  const refunded = story.refunds
    .filter((refund) => refund.status === 'succeeded')
    .reduce((sum, { amount }) => sum + amount, 0n);
  return {
    ...{ ...account, invoiceId, customerId, orgId, status, currency, askedAt },
    billId: INTENT_MARK in metadata ? (metadata['bill_id'] ?? null) : null,
    totalMinor: minorOf(story.total, currency),
    paidMinor: minorOf(story.paid, currency),
    remainingMinor: minorOf(story.remaining, currency),
    refundedMinor: minorOf(refunded, currency),
    dueAt: at(story.dueAt),
    finalizedAt: instantOf(story.finalizedAt),
    paidAt: at(story.paidAt),
    attemptCount: story.attemptCount,
    nextPaymentAttemptAt: at(story.nextPaymentAttemptAt),
    failingSince: at(failingSince(story)),
    dispute: disputeOf(story),
  };
}

/** One that is under way (a bank takes days) did not fail; one without a charge failed for want of a way to pay. */
function failingSince({ status, remaining, isAttempted, charges, finalizedAt }: InvoiceStory): number | null {
  if (status !== 'open' || remaining === 0n || !isAttempted) return null;
  if (charges.some((charge) => charge.status === 'pending')) return null;
  const failures = charges.filter((charge) => charge.status === 'failed').map(({ at }) => at);
  return failures.length === 0 ? finalizedAt : Math.min(...failures);
}

function disputeOf({ disputes }: InvoiceStory): MirroredInvoice['dispute'] {
  const states = disputes
    .map(({ status }) => status)
    .filter((status) => !status.startsWith('warning_') && status !== 'prevented');
  if (states.length === 0) return 'none';
  if (states.some((status) => status !== 'won' && status !== 'lost')) return 'open';
  return states.includes('lost') ? 'lost' : 'won';
}
