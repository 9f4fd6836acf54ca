import { z } from '@hono/zod-openapi';
import { linkCustomer as link } from '../../billing/overage-run/customer-links.js';
import { actorOf } from '../actor.js';
import { operation } from '../operation.js';
import { ForeignId } from '../shapes.js';
import { CustomerLinkShape, customerLinkShape } from './customer-shape.js';
import { STRIPE_PROBLEMS } from './stripe-problems.js';

export const linkCustomer = operation({
  method: 'put',
  path: '/v1/billing/customers/{orgId}',
  scope: 'billing:write',
  tag: 'Billing',
  summary: 'Say which customer of Stripe pays for an org, from its next bill on',
  description:
    "The customer is looked up in the account and mode of this server's key. One customer pays for one org, ever. Bills that were entered keep theirs, and what Stripe tells of the customer that paid before stays the org's.",
  params: z.object({ orgId: ForeignId }),
  body: z.strictObject({
    customer_id: z.string().regex(/^cus_[A-Za-z0-9]{1,100}$/, 'write the id of a customer of Stripe: cus_…'),
    days_until_due: z.int().min(1).max(365).optional().openapi({
      description:
        'Invoices are sent, to be paid within so many days. Without it, Stripe charges the default payment method.',
    }),
  }),
  onRepeat: 'another go',
  answer: CustomerLinkShape,
  problems: [...STRIPE_PROBLEMS, 'not_found', 'conflict'],

  async handle({ params, body }, context) {
    const { services, now } = context;
    const desk = await services.billing();
    const customer = await desk.readCustomer(body.customer_id);
    const days = body.days_until_due;
    const linked = await link(
      services,
      desk.store.account,
      {
        orgId: params.orgId,
        customer,
        collection:
          days === undefined
            ? { method: 'charge_automatically' }
            : { method: 'send_invoice', daysUntilDue: days },
        actor: actorOf(context),
      },
      now,
    );
    // What Stripe told of this customer has waited for it.
    (await services.stripeInbox()).kick();
    return customerLinkShape(linked);
  },
});
