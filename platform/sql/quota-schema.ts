import { index, integer, pgTable, text, unique } from 'drizzle-orm/pg-core';
import { instant, wide } from './columns.js';

/**
 * What orgs chose for when their limits are reached. Rows are added and never changed: of those for an org and a meter, the one that
 * took effect last rules.
 */
export const stopChoices = pgTable(
  'stop_choices',
  {
    choiceId: text('choice_id').primaryKey(),
    orgId: text('org_id').notNull(),
    /** Null: all meters that have no choice of their own. */
    meterId: text('meter_id'),
    /** `default`: as the catalog says, again. */
    stop: text('stop', { enum: ['hard', 'soft', 'default'] }).notNull(),
    spendCapMinor: wide('spend_cap_minor'),
    spendCapCurrency: text('spend_cap_currency'),
    effectiveAt: instant('effective_at').notNull(),
    reason: text('reason').notNull(),
    chosenBy: text('chosen_by').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [index('stop_choices_by_org').on(table.orgId, table.effectiveAt)],
);

/** That an org's usage passed a threshold, once for ever. Entered in one transaction with the message that tells it. */
export const usageAlerts = pgTable(
  'usage_alerts',
  {
    alertId: text('alert_id').primaryKey(),
    rule: text('rule').notNull(),
    orgId: text('org_id').notNull(),
    subscriptionId: text('subscription_id').notNull(),
    meterId: text('meter_id').notNull(),
    periodStart: instant('period_start').notNull(),
    periodEnd: instant('period_end').notNull(),
    thresholdPercent: integer('threshold_percent').notNull(),
    used: text('used').notNull(),
    included: text('included').notNull(),
    runId: text('run_id').notNull(),
    /** Null: a higher threshold was passed at once, and its message stands for this one too. */
    messageId: text('message_id'),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [
    unique('usage_alerts_once').on(
      table.rule,
      table.orgId,
      table.subscriptionId,
      table.meterId,
      table.periodStart,
      table.thresholdPercent,
    ),
    index('usage_alerts_in_order').on(table.createdAt, table.alertId),
  ],
);

/** Messages to somebody else's endpoint, and what has become of each. Delivered at least once, under an id that stays. */
export const webhookMessages = pgTable(
  'webhook_messages',
  {
    messageId: text('message_id').primaryKey(),
    type: text('type').notNull(),
    /** The body, byte for byte as it is signed and sent. */
    payload: text('payload').notNull(),
    state: text('state', { enum: ['waiting', 'delivered', 'given_up', 'unsent'] }).notNull(),
    attempts: integer('attempts').notNull().default(0),
    nextAttemptAt: instant('next_attempt_at').notNull(),
    lastAttemptAt: instant('last_attempt_at'),
    /** Of the last answer; null where none came. */
    lastStatus: integer('last_status'),
    lastProblem: text('last_problem'),
    deliveredAt: instant('delivered_at'),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [index('webhook_messages_due').on(table.state, table.nextAttemptAt)],
);
