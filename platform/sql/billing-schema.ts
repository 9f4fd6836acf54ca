import { boolean, date, index, integer, jsonb, pgTable, primaryKey, text, unique } from 'drizzle-orm/pg-core';
import { sql } from 'drizzle-orm';
import { instant, wide } from './columns.js';

/** Writes that leave the house, each to happen once: what they are for, their bytes, and what has become of them. */
export const outboundIntents = pgTable(
  'outbound_intents',
  {
    /** Derived from what it is for: account, mode, scope, meter, period, kind, sequence. */
    intentId: text('intent_id').primaryKey(),
    account: text('account').notNull(),
    mode: text('mode', { enum: ['live', 'test'] }).notNull(),
    kind: text('kind', { enum: ['invoice', 'invoice_item', 'finalize', 'credit_note'] }).notNull(),
    scope: text('scope').notNull(),
    meter: text('meter'),
    periodStart: instant('period_start').notNull(),
    periodEnd: instant('period_end').notNull(),
    sequence: integer('sequence').notNull(),
    /** What is carried out together, in the order of `position`. */
    groupId: text('group_id').notNull(),
    position: integer('position').notNull(),
    /** Canonical JSON, as it will be sent whenever it is sent. */
    request: text('request').notNull(),
    state: text('state', {
      enum: ['planned', 'sending', 'done', 'refused', 'quarantined', 'withdrawn'],
    }).notNull(),
    /** Counts idempotency keys: 0 before the first send. */
    attempt: integer('attempt').notNull().default(0),
    attemptBeganAt: instant('attempt_began_at'),
    mustLook: boolean('must_look').notNull().default(false),
    objectId: text('object_id'),
    objectAmountMinor: wide('object_amount_minor'),
    objectCurrency: text('object_currency'),
    objectStatus: text('object_status'),
    problemCode: text('problem_code'),
    problemMessage: text('problem_message'),
    createdAt: instant('created_at').notNull(),
    settledAt: instant('settled_at'),
  },
  (table) => [
    unique('outbound_intents_in_order').on(table.groupId, table.position),
    index('outbound_intents_by_state').on(table.state, table.createdAt),
  ],
);

/** Which customer pays for an org, for each account and mode apart. */
export const stripeCustomers = pgTable(
  'stripe_customers',
  {
    account: text('account').notNull(),
    mode: text('mode', { enum: ['live', 'test'] }).notNull(),
    orgId: text('org_id').notNull(),
    customerId: text('customer_id').notNull(),
    /** The one that Stripe bills it in, as it was when it was linked; null while there is none. */
    currency: text('currency'),
    collectionMethod: text('collection_method', { enum: ['charge_automatically', 'send_invoice'] }).notNull(),
    daysUntilDue: integer('days_until_due'),
    linkedAt: instant('linked_at').notNull(),
    linkedBy: text('linked_by').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.account, table.mode, table.orgId] }),
    unique('stripe_customers_once').on(table.account, table.mode, table.customerId),
  ],
);

/** One invoice of ours, or one credit note on one, and where it stands: its writes are the intents of the group with its id. */
export const bills = pgTable(
  'bills',
  {
    billId: text('bill_id').primaryKey(),
    account: text('account').notNull(),
    mode: text('mode', { enum: ['live', 'test'] }).notNull(),
    orgId: text('org_id').notNull(),
    currency: text('currency').notNull(),
    /** First day of the month in which its periods ended. */
    month: date('month', { mode: 'string' }).notNull(),
    sequence: integer('sequence').notNull(),
    customerId: text('customer_id').notNull(),
    /** `awaiting_approval`: nothing of it is sent yet. `blocked`: what stands at Stripe is not what was rated; `refused`: Stripe said no. Both say why, and are tried again. */
    state: text('state', {
      enum: ['awaiting_approval', 'planned', 'finalized', 'blocked', 'refused', 'withdrawn'],
    }).notNull(),
    /** Below 0 on a credit note. */
    totalMinor: wide('total_minor').notNull(),
    /** Of a credit note: the bill whose invoice (`invoice_id`) it takes something off. */
    creditsBillId: text('credits_bill_id'),
    creditNoteId: text('credit_note_id'),
    /** What was left of that invoice to be credited when the note was planned. */
    creditableMinor: wide('creditable_minor'),
    /** The item for what earlier months left, where there is one. */
    carriedItemMinor: wide('carried_item_minor').notNull(),
    carriedIntentId: text('carried_intent_id'),
    runId: text('run_id').notNull(),
    invoiceId: text('invoice_id'),
    problemCode: text('problem_code'),
    problemMessage: text('problem_message'),
    createdAt: instant('created_at').notNull(),
    createdBy: text('created_by').notNull(),
    approvalReason: text('approval_reason'),
    approvedBy: text('approved_by'),
    approvedAt: instant('approved_at'),
    finalizedAt: instant('finalized_at'),
  },
  (table) => [
    unique('bills_once').on(
      table.account,
      table.mode,
      table.orgId,
      table.currency,
      table.month,
      table.sequence,
    ),
    index('bills_by_month').on(table.month, table.orgId, table.billId),
    index('bills_by_state').on(table.state, table.createdAt),
    index('bills_by_credited').on(table.creditsBillId),
  ],
);

export const BILL_LINE_KINDS = ['usage', 'quantity_credit', 'cap', 'coupon', 'commitment', 'credit'] as const;

/** The ledger of rated usage, and of what changes what it comes to: Σ amount of a line is what it is worth. Rows are added and never changed. */
export const billLines = pgTable(
  'bill_lines',
  {
    account: text('account').notNull(),
    mode: text('mode', { enum: ['live', 'test'] }).notNull(),
    lineId: text('line_id').notNull(),
    sequence: integer('sequence').notNull(),
    /** The bill that it stands on, or what was carried without one. */
    causeId: text('cause_id').notNull(),
    /** Null where nothing of it stands on an invoice by itself. */
    intentId: text('intent_id'),
    orgId: text('org_id').notNull(),
    subscriptionId: text('subscription_id').notNull(),
    meterId: text('meter_id').notNull(),
    periodStart: instant('period_start').notNull(),
    periodEnd: instant('period_end').notNull(),
    /** What it is for; `credit_id`, and of a quantity how much of it this entry uses up, where it is a prepaid credit. */
    kind: text('kind', { enum: BILL_LINE_KINDS }).notNull().default('usage'),
    creditId: text('credit_id'),
    creditQuantity: text('credit_quantity'),
    /** Of what is not usage: in words, and what the org's credits had left before its period was paid from them. */
    words: text('words'),
    creditsLeft: jsonb('credits_left').$type<Readonly<Record<string, string>>>(),
    used: text('used').notNull(),
    included: text('included'),
    overage: text('overage').notNull(),
    /** What this entry adds, and the part of it that is an item of the bill. */
    amountMinor: wide('amount_minor').notNull(),
    chargedMinor: wide('charged_minor').notNull(),
    currency: text('currency').notNull(),
    isAssumed: boolean('is_assumed').notNull(),
    catalogVersion: wide('catalog_version'),
    runId: text('run_id').notNull(),
    watermark: jsonb('watermark').notNull(),
    events: integer('events').notNull(),
    eventDigest: text('event_digest').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.account, table.mode, table.lineId, table.sequence] }),
    index('bill_lines_by_cause').on(table.causeId),
    index('bill_lines_by_credit')
      .on(table.account, table.mode, table.orgId, table.creditId)
      .where(sql`credit_id is not null`),
  ],
);

/** What an org has waiting for its next bill is the sum of its rows: below 0 it is owed. Rows are added and never changed. */
export const carryMovements = pgTable(
  'carry_movements',
  {
    causeId: text('cause_id').primaryKey(),
    account: text('account').notNull(),
    mode: text('mode', { enum: ['live', 'test'] }).notNull(),
    orgId: text('org_id').notNull(),
    currency: text('currency').notNull(),
    month: date('month', { mode: 'string' }).notNull(),
    amountMinor: wide('amount_minor').notNull(),
    reason: text('reason', { enum: ['billed', 'under_minimum', 'credit', 'withdrawn'] }).notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [index('carry_movements_by_org').on(table.account, table.mode, table.orgId, table.currency)],
);

/** Where an invoice was found not to be what was rated. Open until a later look finds it mended. */
export const billBreaks = pgTable(
  'bill_breaks',
  {
    /** Derived from bill, cause and message: found again it is the same. */
    breakId: text('break_id').primaryKey(),
    billId: text('bill_id').notNull(),
    cause: text('cause').notNull(),
    /** What is wrong and what to do. */
    message: text('message').notNull(),
    foundAt: instant('found_at').notNull(),
    lastSeenAt: instant('last_seen_at').notNull(),
    closedAt: instant('closed_at'),
  },
  (table) => [index('bill_breaks_by_bill').on(table.billId)],
);
