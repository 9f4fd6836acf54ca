import type Stripe from 'stripe';
import { z } from 'zod';
import { allOf, asking, PAGE } from './asking.js';
import { idOf } from './id-of.js';
import type { Prices, ReadPrice } from './read-price.js';

const Reference = z.union([z.string(), z.looseObject({ id: z.string() })]);

/** A subscription as an event shows it, in whichever version of Stripe's API that was written. */
export const SubscriptionShown = z.looseObject({
  id: z.string(),
  customer: Reference,
  currency: z.string(),
  status: z.string(),
  created: z.int(),
  start_date: z.int().nullish(),
  ended_at: z.int().nullish(),
  trial_end: z.int().nullish(),
  billing_cycle_anchor: z.int(),
  pause_collection: z.looseObject({ behavior: z.string() }).nullish(),
  cancellation_details: z.looseObject({ reason: z.string().nullish() }).nullish(),
  discounts: z.array(Reference).nullish(),
  items: z.looseObject({
    data: z.array(
      z.looseObject({
        id: z.string(),
        price: z.looseObject({ id: z.string() }),
        quantity: z.int().nullish(),
      }),
    ),
    has_more: z.boolean().nullish(),
  }),
});
export type SubscriptionShown = z.infer<typeof SubscriptionShown>;

/** A subscription at one moment. Amounts are in Stripe's minor unit, times in seconds. */
export interface SubscriptionState {
  readonly subscriptionId: string;
  readonly customerId: string;
  readonly currency: string;
  readonly status: string;
  readonly createdAt: number;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly trialEndsAt: number | null;
  readonly anchorAt: number;
  readonly pause: string | null;
  readonly reason: string | null;
  readonly items: readonly {
    readonly itemId: string;
    readonly quantity: number | null;
    readonly price: ReadPrice;
  }[];
  readonly discounts: readonly ReadDiscount[];
}

export interface ReadDiscount {
  readonly percentOff: string | null;
  readonly amountOff: bigint | null;
  readonly endsAt: number | null;
}

/** What turns a subscription as it was shown into one whose prices and discounts are known. */
export interface SubscriptionReader {
  readonly stripe: Stripe;
  readonly prices: Prices;
}

/** As it stands now; null when it is not there. */
export async function shownNow(
  { stripe }: SubscriptionReader,
  id: string,
): Promise<SubscriptionShown | null> {
  const found = await asking(() => stripe.subscriptions.retrieve(id));
  if (found === null) return null;
  const shown = SubscriptionShown.parse(found);
  if (shown.items.has_more !== true) return shown;
  const items = await allOf(() => stripe.subscriptionItems.list({ subscription: id, limit: PAGE }));
  return SubscriptionShown.parse({ ...shown, items: { data: items } });
}

/**
 * Looks up what an event leaves out: prices and discounts, of which it has ids. A discount that was taken off since can't be looked up
 * any more; one that is for one invoice alone changes nothing that recurs. Neither is in the answer.
 */
export async function subscriptionState(
  shown: SubscriptionShown,
  reader: SubscriptionReader,
): Promise<SubscriptionState> {
  const whole = shown.items.has_more === true ? ((await shownNow(reader, shown.id)) ?? shown) : shown;
  const items: SubscriptionState['items'][number][] = [];
  for (const { id, quantity, price } of whole.items.data) {
    items.push({ itemId: id, quantity: quantity ?? null, price: await reader.prices.require(price.id) });
  }
  return {
    subscriptionId: shown.id,
    customerId: idOf(shown.customer) ?? '',
    currency: shown.currency.toUpperCase(),
    status: shown.status,
    createdAt: shown.created,
    startedAt: shown.start_date ?? shown.created,
    endedAt: shown.ended_at ?? null,
    trialEndsAt: shown.trial_end ?? null,
    anchorAt: shown.billing_cycle_anchor,
    pause: shown.pause_collection?.behavior ?? null,
    reason: shown.cancellation_details?.reason ?? null,
    items,
    discounts: await readDiscounts(shown, reader),
  };
}

async function readDiscounts(
  { id, discounts }: SubscriptionShown,
  { stripe }: SubscriptionReader,
): Promise<ReadDiscount[]> {
  const wanted = (discounts ?? []).map(idOf);
  if (wanted.length === 0) return [];
  const now = await asking(() => stripe.subscriptions.retrieve(id, { expand: ['discounts.source.coupon'] }));
  const known = now?.discounts ?? [];
  return wanted.flatMap((discountId) => {
    const found = known.find((one) => typeof one !== 'string' && one.id === discountId);
    return found === undefined || typeof found === 'string' ? [] : readDiscount(found);
  });
}

function readDiscount({ source, end }: Stripe.Discount): ReadDiscount[] {
  const { coupon } = source;
  if (coupon === null || typeof coupon === 'string' || coupon.duration === 'once') return [];
  return [
    {
      percentOff: coupon.percent_off === null ? null : String(coupon.percent_off),
      amountOff: coupon.amount_off === null ? null : BigInt(coupon.amount_off),
      endsAt: end,
    },
  ];
}
