import { z } from '@hono/zod-openapi';
import { inboxCounts } from '../../ingest/stripe/inbox-store.js';
import { operation } from '../operation.js';
import { Count, InstantArgument } from '../shapes.js';
import { STRIPE_PROBLEMS } from './stripe-problems.js';

export const backfillBilling = operation({
  method: 'post',
  path: '/v1/billing/backfills',
  scope: 'billing:write',
  tag: 'Billing',
  summary: 'Ask Stripe for the past of every linked customer, and take it in as events',
  description:
    'Subscriptions, invoices with their payments, refunds, credit notes and disputes. What was told already, by webhooks or an earlier ' +
    'backfill, is not told again. Stripe keeps what subscriptions were for 30 days: of older ones it tells when they began and what they ' +
    'hold now, not what they held in between.',
  body: z.strictObject({
    since: InstantArgument.optional().openapi({ description: 'Only invoices made from then on.' }),
  }),
  onRepeat: 'another go',
  answer: z.object({
    customers: Count,
    events: Count.openapi({ description: 'Of subscriptions, that no webhook had brought.' }),
    subscriptions: Count,
    invoices: Count,
    retried: Count.openapi({ description: 'Tried again, since they had failed before.' }),
    waiting: Count.openapi({ description: 'For their customer to be linked to an org.' }),
    failed: Count,
  }),
  problems: [...STRIPE_PROBLEMS, 'needs_database_url', 'shutting_down'],

  async handle({ body }, { services }) {
    const inbox = await services.stripeInbox();
    // Stripe's SDK takes a while to load, and every command loads this file.
    const { backfill } = await import('../../ingest/stripe/backfill.js');
    const { sql, clock, onProgress, shutdown } = services;
    const deps = { sql, inbox, clock, onProgress, signal: shutdown.signal };
    const report = await backfill(deps, body.since ?? null);
    const { waiting, failed } = await inboxCounts(sql);
    return { ...report, waiting, failed };
  },
});
