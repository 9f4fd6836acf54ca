import { z } from '@hono/zod-openapi';
import { receiveWebhook } from '../../ingest/stripe/receive-webhook.js';
import { operation } from '../operation.js';
import { STRIPE_PROBLEMS } from '../billing/stripe-problems.js';

/** Stripe's events hold one object with ten of its lines at most. */
const MOST_BYTES = 1024 * 1024;

export const postStripeWebhook = operation({
  method: 'post',
  path: '/webhooks/stripe',
  scope: 'public',
  tag: 'Billing',
  summary: 'What Stripe tells: subscriptions, invoices, payments, refunds, disputes',
  description:
    'For Stripe alone, which signs what it sends (Stripe-Signature) with a secret of STRIPE_WEBHOOK_SECRET. Answered once the event is on ' +
    'disk; it is worked off afterwards, by asking Stripe how the object stands. The same event again is answered the same.',
  rawBody: {
    mediaTypes: ['application/json'],
    description: 'An event of Stripe, as it was signed.',
    read: 'whole',
  },
  bodyBytes: () => MOST_BYTES,
  onRepeat: 'another go',
  answer: z.object({ outcome: z.enum(['stored', 'repeated']) }),
  problems: [...STRIPE_PROBLEMS, 'signature_refused', 'needs_database_url'],

  async handle(_input, { services, bytes, header, now }) {
    const message = { bytes, signature: header('stripe-signature') };
    return { outcome: await receiveWebhook(message, services.config.stripe, services.stripeInbox, now) };
  },
});
