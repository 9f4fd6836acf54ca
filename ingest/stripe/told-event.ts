import { z } from 'zod';
import { idOf } from '../../platform/outbound/stripe/id-of.js';
import { SUBSCRIPTION_EVENTS } from '../../platform/outbound/stripe/told-types.js';

const Reference = z.union([z.string(), z.looseObject({ id: z.string() })]).nullish();

/** An event as Stripe sends it, as far as it says what to look at. Everything else is asked for. */
export const ToldEvent = z.looseObject({
  id: z.string().regex(/^[\x21-\x7e]{1,200}$/),
  type: z.string().min(1).max(200),
  created: z.int().min(0),
  livemode: z.boolean(),
  /** Of a connected account; absent for our own. */
  account: z.string().nullish(),
  data: z.looseObject({
    object: z.looseObject({
      id: z.string().nullish(),
      object: z.string(),
      customer: Reference,
      invoice: Reference,
      payment_intent: Reference,
      subscription: Reference,
    }),
    previous_attributes: z.record(z.string(), z.unknown()).nullish(),
  }),
});
export type ToldEvent = z.infer<typeof ToldEvent>;

/** What an event makes us look at. */
export type Topic =
  | { readonly about: 'change'; readonly subscriptionId: string }
  | { readonly about: 'subscription'; readonly subscriptionId: string }
  | { readonly about: 'invoice'; readonly invoiceId: string }
  | { readonly about: 'payment'; readonly intentId: string }
  | { readonly about: 'nothing' };

/** What we ask for ourselves goes the same way as what we are told. */
export const ASKED_SUBSCRIPTION = 'backfill.subscription';
export const ASKED_INVOICE = 'backfill.invoice';

const NOTHING: Topic = { about: 'nothing' };
/** Drafts are nothing yet, and one that is to come has no id. */
const NOT_YET = ['invoice.created', 'invoice.upcoming', 'invoice.deleted', 'invoice.will_be_due'];
const OF_PAYMENT = /^(refund\.|charge\.refund|charge\.dispute\.)/;

/** Whatever happens to an invoice, the whole of it is looked at: events come in any order, and what stands there does not. */
export function topicOf({ type, data: { object } }: ToldEvent): Topic {
  const id = object.id ?? null;
  const subscriptionId = object.object === 'subscription' ? id : idOf(object.subscription);
  if (subscriptionId !== null) {
    if (SUBSCRIPTION_EVENTS.some((one) => one === type)) return { about: 'change', subscriptionId };
    if (type === ASKED_SUBSCRIPTION || type === 'customer.discount.deleted') {
      return { about: 'subscription', subscriptionId };
    }
  }
  const invoiceId = object.object === 'invoice' ? id : idOf(object.invoice);
  const isOfInvoice = /^(invoice|invoice_payment|credit_note)\./.test(type) || type === ASKED_INVOICE;
  if (isOfInvoice && invoiceId !== null && !NOT_YET.includes(type)) return { about: 'invoice', invoiceId };
  const intentId = idOf(object.payment_intent);
  return OF_PAYMENT.test(type) && intentId !== null ? { about: 'payment', intentId } : NOTHING;
}

/** Whose it is, where the event says so. */
export function customerOf({ data: { object } }: ToldEvent): string | null {
  return idOf(object.customer);
}
