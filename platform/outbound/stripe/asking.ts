import { isMissing, refusalOfStripe } from './stripe-client.js';

/**
 * Reads something at Stripe.
 *
 * @returns null when it is not there, or no more
 * @throws RefusedError or UnavailableError, as `refusalOfStripe` says it
 */
export async function asking<Answer>(ask: () => Promise<Answer>): Promise<Answer | null> {
  try {
    return await ask();
  } catch (error) {
    if (isMissing(error)) return null;
    throw refusalOfStripe(error);
  }
}

/** All pages of a list; nothing when what it is a list of is not there. */
export async function allOf<One>(list: () => AsyncIterable<One>): Promise<One[]> {
  const found = await asking(async () => {
    const all: One[] = [];
    for await (const one of list()) all.push(one);
    return all;
  });
  return found ?? [];
}

/** Stripe's lists have pages of a hundred at most. */
export const PAGE = 100;
