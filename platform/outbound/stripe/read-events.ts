import type Stripe from 'stripe';
import { allOf, PAGE } from './asking.js';
import { SUBSCRIPTION_EVENTS, type MONEY_EVENTS } from './told-types.js';

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
