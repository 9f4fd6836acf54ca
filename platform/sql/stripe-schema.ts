import { sql } from 'drizzle-orm';
import { index, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { bytes, instant, wide } from './columns.js';

const ofAccount = {
  account: text('account').notNull(),
  mode: text('mode', { enum: ['live', 'test'] }).notNull(),
};

/** Which org each customer ever paid for: what Stripe tells of one that no longer pays is still of that org. Rows are added and never changed. */
export const stripeCustomerLinks = pgTable(
  'stripe_customer_links',
  {
    ...ofAccount,
    customerId: text('customer_id').notNull(),
    orgId: text('org_id').notNull(),
  },
  (table) => [primaryKey({ columns: [table.account, table.mode, table.customerId] })],
);

/** Until when Stripe's list of events was looked through for webhooks that never came. */
export const stripeCatchUps = pgTable(
  'stripe_catch_ups',
  { ...ofAccount, lookedUntil: instant('looked_until').notNull() },
  (table) => [primaryKey({ columns: [table.account, table.mode] })],
);

/** What a provider told us, as it was told, until it is taken care of: the answer goes out only once it is in here. */
export const webhookInbox = pgTable(
  'webhook_inbox',
  {
    provider: text('provider', { enum: ['stripe'] }).notNull(),
    ...ofAccount,
    /** The provider's own; of what we asked for ourselves, `backfill` and the object's id. */
    eventId: text('event_id').notNull(),
    type: text('type').notNull(),
    raw: bytes('raw').notNull(),
    /** Whose it is, once that is known: what waits for this customer's link is found by it. */
    customerId: text('customer_id'),
    receivedAt: instant('received_at').notNull(),
    /** `waiting`: for the customer to be linked to an org; `failed`: trying again changes nothing, somebody must look. */
    state: text('state', { enum: ['received', 'done', 'ignored', 'waiting', 'failed'] }).notNull(),
    attempts: integer('attempts').notNull().default(0),
    nextAttemptAt: instant('next_attempt_at').notNull(),
    problem: text('problem'),
    /** The events that result, NDJSON, written down before they are emitted: whoever comes later emits these bytes. */
    events: bytes('events'),
    settledAt: instant('settled_at'),
  },
  (table) => [
    primaryKey({ columns: [table.provider, table.account, table.mode, table.eventId] }),
    index('webhook_inbox_by_state').on(table.state, table.nextAttemptAt),
    index('webhook_inbox_by_customer').on(table.customerId),
  ],
);

/** Facts of Stripe that were made events, each once, whichever way they came. Rows are added and never changed. */
export const stripeFacts = pgTable(
  'stripe_facts',
  {
    ...ofAccount,
    /** The event's id. */
    factId: text('fact_id').notNull(),
    /** What it is about: a subscription, an invoice. */
    objectId: text('object_id').notNull(),
    at: instant('at').notNull(),
    /** Of the state of a subscription: equal digests are the same state. */
    digest: text('digest').notNull(),
    /** The row of the inbox that holds its bytes. */
    toldBy: text('told_by').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.account, table.mode, table.factId] }),
    index('stripe_facts_by_object').on(table.account, table.mode, table.objectId, table.at),
  ],
);

/** Invoices of the account as Stripe last said they stand; drafts are not invoices yet. Amounts are in ISO's minor unit. */
export const stripeInvoices = pgTable(
  'stripe_invoices',
  {
    ...ofAccount,
    invoiceId: text('invoice_id').notNull(),
    customerId: text('customer_id').notNull(),
    orgId: text('org_id').notNull(),
    /** Of those that we made. */
    billId: text('bill_id'),
    status: text('status', { enum: ['open', 'paid', 'uncollectible', 'void'] }).notNull(),
    currency: text('currency').notNull(),
    totalMinor: wide('total_minor').notNull(),
    paidMinor: wide('paid_minor').notNull(),
    remainingMinor: wide('remaining_minor').notNull(),
    refundedMinor: wide('refunded_minor').notNull(),
    dueAt: instant('due_at'),
    finalizedAt: instant('finalized_at').notNull(),
    paidAt: instant('paid_at'),
    attemptCount: integer('attempt_count').notNull(),
    nextPaymentAttemptAt: instant('next_payment_attempt_at'),
    /** Since when payments of it fail; null while none did. */
    failingSince: instant('failing_since'),
    dispute: text('dispute', { enum: ['none', 'open', 'won', 'lost'] }).notNull(),
    /** When we asked: an answer to an older question never replaces one to a newer. */
    askedAt: instant('asked_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.account, table.mode, table.invoiceId] }),
    index('stripe_invoices_by_org').on(table.account, table.mode, table.orgId),
    // Most are paid: what is owed is found without them.
    index('stripe_invoices_owed')
      .on(table.mode)
      .where(sql`status in ('open', 'uncollectible')`),
  ],
);
