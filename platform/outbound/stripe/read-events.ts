import type Stripe from 'stripe';
import { allOf, PAGE } from './asking.js';

/** What happens to a subscription that changes what is sold by it. */
export const SUBSCRIPTION_EVENTS = [
  'customer.subscription.created',
  'customer.subscription.updated',
  'customer.subscription.deleted',
  'customer.subscription.paused',
  'customer.subscription.resumed',
] as const;

/** What else is mirrored. Stripe lists twenty types at once, at most. */
export const MONEY_EVENTS = [
  'invoice.finalized',
  'invoice.paid',
  'invoice.payment_failed',
  'invoice.voided',
  'invoice.marked_uncollectible',
  'invoice_payment.paid',
  'credit_note.created',
  'credit_note.voided',
  'refund.created',
  'refund.updated',
  'refund.failed',
  'charge.dispute.created',
  'charge.dispute.closed',
] as const;

type EventType = (typeof SUBSCRIPTION_EVENTS | typeof MONEY_EVENTS)[number];

/** Stripe keeps its events for 30 days. Newest first, as it lists them. */
export function listEvents(
  stripe: Stripe,
  types: readonly EventType[],
  created: { readonly gte?: number; readonly lte?: number },
): AsyncIterable<Stripe.Event> {
  return stripe.events.list({ types: [...types], created, limit: PAGE });
}

/**
 * Stripe's times are whole seconds, and a subscription is often made and paid in one: which of its events came first is what the list
 * of them says.
 *
 * @returns 1 for the first of that second, or the only one
 */
export async function rankInSecond(
  stripe: Stripe,
  {
    eventId,
    subscriptionId,
    at,
  }: { readonly eventId: string; readonly subscriptionId: string; readonly at: number },
): Promise<number> {
  const newestFirst = await allOf(() => listEvents(stripe, SUBSCRIPTION_EVENTS, { gte: at, lte: at }));
  const own = newestFirst.filter(({ data }) => 'id' in data.object && data.object.id === subscriptionId);
  const place = own.findIndex(({ id }) => id === eventId);
  return place < 0 ? 1 : own.length - place;
}
