import type Stripe from 'stripe';
import { InputError } from '../../../core/errors.js';
import { isMissing, refusalOfStripe } from './stripe-client.js';

export interface ReadCustomer {
  readonly customerId: string;
  readonly name: string | null;
  /** The one that its invoices are in; null before the first. */
  readonly currency: string | null;
}

/** @throws InputError `not_found` when the account has no such customer in this mode, or has deleted it; else as `refusalOfStripe` */
export async function readCustomer(stripe: Stripe, customerId: string): Promise<ReadCustomer> {
  try {
    const customer = await stripe.customers.retrieve(customerId);
    if (customer.deleted === true) throw missing(customerId, 'was deleted');
    return {
      customerId: customer.id,
      name: customer.name ?? null,
      currency: customer.currency?.toUpperCase() ?? null,
    };
  } catch (error) {
    if (isMissing(error)) {
      throw missing(customerId, 'is not there; test and live mode have different customers');
    }
    throw refusalOfStripe(error);
  }
}

function missing(customerId: string, what: string): InputError {
  return new InputError('not_found', `Stripe: the customer ${customerId.slice(0, 80)} ${what}`, {
    status: 404,
  });
}
