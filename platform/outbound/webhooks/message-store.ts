import { and, asc, eq, inArray, lte } from 'drizzle-orm';
import type { Instant } from '../../../core/time.js';
import { webhookMessages } from '../../sql/quota-schema.js';
import type { Sql, SqlDatabase } from '../../sql/sql.js';

/** A message to somebody's endpoint. Its id stays whatever happens; the receiver knows a copy by it. */
export interface WebhookMessage {
  readonly messageId: string;
  readonly type: string;
  /** The body, as it is signed and sent. */
  readonly payload: string;
}

export type WebhookDelivery = typeof webhookMessages.$inferSelect;

/** What came of one attempt. */
export interface Attempt {
  readonly at: Instant;
  /** Null where no answer came. */
  readonly status: number | null;
  readonly problem: string | null;
  /** Null: no more, it was delivered or is given up. */
  readonly nextAttemptAt: Instant | null;
}

/** Enters a message, in the transaction of what it tells: there is never one without the other. */
export async function enterMessage(
  database: SqlDatabase,
  message: WebhookMessage,
  { now, isSent }: { readonly now: Instant; readonly isSent: boolean },
): Promise<void> {
  await database
    .insert(webhookMessages)
    .values({
      ...message,
      // What nobody is to be told now is not told later either, when somebody names an endpoint.
      state: isSent ? 'waiting' : 'unsent',
      nextAttemptAt: now,
      createdAt: now,
    })
    .onConflictDoNothing();
}

/** What is to be sent now, the oldest first. */
export function dueMessages(sql: Sql, now: Instant, limit: number): Promise<WebhookDelivery[]> {
  return sql.database
    .select()
    .from(webhookMessages)
    .where(and(eq(webhookMessages.state, 'waiting'), lte(webhookMessages.nextAttemptAt, now)))
    .orderBy(asc(webhookMessages.nextAttemptAt), asc(webhookMessages.messageId))
    .limit(limit);
}

/**
 * Takes a message for one attempt, before its first byte leaves: until `leaseUntil` nobody else takes it. False where somebody has.
 */
export async function takeMessage(
  sql: Sql,
  { messageId, attempts }: Pick<WebhookDelivery, 'messageId' | 'attempts'>,
  { now, leaseUntil }: { readonly now: Instant; readonly leaseUntil: Instant },
): Promise<boolean> {
  const taken = await sql.database
    .update(webhookMessages)
    .set({ attempts: attempts + 1, lastAttemptAt: now, nextAttemptAt: leaseUntil })
    .where(
      and(
        eq(webhookMessages.messageId, messageId),
        eq(webhookMessages.state, 'waiting'),
        eq(webhookMessages.attempts, attempts),
      ),
    )
    .returning({ messageId: webhookMessages.messageId });
  return taken.length === 1;
}

export async function noteAttempt(sql: Sql, messageId: string, attempt: Attempt): Promise<void> {
  const isDelivered = attempt.problem === null;
  const ended = isDelivered ? ('delivered' as const) : ('given_up' as const);
  await sql.database
    .update(webhookMessages)
    .set({
      lastStatus: attempt.status,
      lastProblem: attempt.problem,
      ...(attempt.nextAttemptAt === null ? { state: ended } : { nextAttemptAt: attempt.nextAttemptAt }),
      ...(isDelivered ? { deliveredAt: attempt.at } : {}),
    })
    .where(and(eq(webhookMessages.messageId, messageId), eq(webhookMessages.state, 'waiting')));
}

export async function readMessages(
  sql: Sql,
  messageIds: readonly string[],
): Promise<ReadonlyMap<string, WebhookDelivery>> {
  if (messageIds.length === 0) return new Map();
  const rows = await sql.database
    .select()
    .from(webhookMessages)
    .where(inArray(webhookMessages.messageId, [...messageIds]));
  return new Map(rows.map((row) => [row.messageId, row]));
}
