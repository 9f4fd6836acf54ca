import {
  and,
  asc,
  count,
  eq,
  inArray,
  isNotNull,
  lt,
  lte,
  min,
  or,
  sql as sqlText,
  type SQL,
} from 'drizzle-orm';
import { MICROS_PER_SECOND, type Instant } from '../../core/time.js';
import type { OutsideAccount } from '../../platform/outbound/intent.js';
import { ofAccount } from '../../platform/sql/of-account.js';
import type { Sql, SqlDatabase } from '../../platform/sql/sql.js';
import { stripeCustomerLinks, webhookInbox } from '../../platform/sql/stripe-schema.js';

export type InboxRow = typeof webhookInbox.$inferSelect;
export type InboxState = InboxRow['state'];

export interface InboxMessage {
  readonly eventId: string;
  readonly type: string;
  readonly raw: Uint8Array;
  readonly customerId: string | null;
}

/** How many rows are in which state, and since when the oldest that is not settled has been there. */
export interface InboxCounts {
  readonly received: number;
  readonly waiting: number;
  readonly failed: number;
  readonly oldestAt: Instant | null;
}

/** Who took a row and died is followed by another after this. */
export const CLAIM_LASTS: Instant = 120n * MICROS_PER_SECOND;
const SETTLED: readonly InboxState[] = ['done', 'ignored'];

/** The table of what Stripe told us, of one account in one mode. */
export class InboxStore {
  constructor(
    readonly sql: Sql,
    readonly account: OutsideAccount,
  ) {}

  /** Durable when it returns; an id that is there already is left as it is. */
  async put(message: InboxMessage, now: Instant): Promise<'stored' | 'repeated'> {
    const stored = await this.sql.database
      .insert(webhookInbox)
      .values(this.rowOf(message, now))
      .onConflictDoNothing()
      .returning({ id: webhookInbox.eventId });
    return stored.length === 1 ? 'stored' : 'repeated';
  }

  /** The same for what we ask for ourselves: one that is settled, or could not be, is looked at again. */
  async putAgain(message: InboxMessage, now: Instant): Promise<void> {
    const row = this.rowOf(message, now);
    const { provider, account, mode, eventId } = webhookInbox;
    await this.sql.database
      .insert(webhookInbox)
      .values(row)
      .onConflictDoUpdate({
        target: [provider, account, mode, eventId],
        // What was written down and could not be emitted still must be: it is told nowhere else.
        set: {
          ...{ ...row, attempts: 0, problem: null, settledAt: null },
          events: sqlText`case when ${webhookInbox.state} = 'failed' then ${webhookInbox.events} end`,
        },
        setWhere: inArray(webhookInbox.state, ['done', 'ignored', 'failed']),
      });
  }

  /** Those that could not be taken care of are tried again; of events that were written down, the same bytes. */
  async retryFailed(now: Instant): Promise<number> {
    const again = await this.sql.database
      .update(webhookInbox)
      .set({ state: 'received', attempts: 0, nextAttemptAt: now })
      .where(and(this.own(), eq(webhookInbox.state, 'failed')))
      .returning({ id: webhookInbox.eventId });
    return again.length;
  }

  /** Takes what is due, and what waited for a customer that is linked by now. Nobody else gets it before the claim has run out. */
  async claim(now: Instant, limit: number): Promise<InboxRow[]> {
    const linked = sqlText`exists (select 1 from ${stripeCustomerLinks} where ${stripeCustomerLinks.account} = ${webhookInbox.account}
      and ${stripeCustomerLinks.mode} = ${webhookInbox.mode} and ${stripeCustomerLinks.customerId} = ${webhookInbox.customerId})`;
    const { database } = this.sql;
    const due = database
      .select({ id: webhookInbox.eventId })
      .from(webhookInbox)
      .where(
        and(
          this.own(),
          lte(webhookInbox.nextAttemptAt, now),
          or(eq(webhookInbox.state, 'received'), and(eq(webhookInbox.state, 'waiting'), linked)),
        ),
      )
      .orderBy(asc(webhookInbox.receivedAt), asc(webhookInbox.eventId))
      .limit(limit)
      .for('update', { skipLocked: true });
    const claimed = await database
      .update(webhookInbox)
      .set({
        state: 'received',
        nextAttemptAt: now + CLAIM_LASTS,
        attempts: sqlText`${webhookInbox.attempts} + 1`,
      })
      .where(and(this.own(), inArray(webhookInbox.eventId, due)))
      .returning();
    return claimed.sort((a, b) => Number(a.receivedAt - b.receivedAt));
  }

  /** The row as it stands, for as long again; null when the claim ran out and another has it, or had. */
  async renew(row: InboxRow, now: Instant): Promise<InboxRow | null> {
    const [renewed] = await this.sql.database
      .update(webhookInbox)
      .set({ nextAttemptAt: now + CLAIM_LASTS })
      .where(this.claimed(row))
      .returning();
    return renewed ?? null;
  }

  /**
   * Until the transaction ends, nobody else writes down what this row results in. Says what is written down already: whoever is slow may
   * have been overtaken. Null when the row was settled, or put again, since it was claimed.
   */
  async hold(database: SqlDatabase, row: InboxRow): Promise<{ readonly events: Uint8Array | null } | null> {
    const { events, state, receivedAt } = webhookInbox;
    const [held] = await database
      .select({ events })
      .from(webhookInbox)
      .where(and(this.is(row), eq(state, 'received'), eq(receivedAt, row.receivedAt)))
      .for('update');
    return held ?? null;
  }

  /** Writes down what a row that is held results in, before it is emitted. */
  async keepEvents(database: SqlDatabase, row: InboxRow, events: Uint8Array): Promise<void> {
    await database.update(webhookInbox).set({ events }).where(this.is(row));
  }

  /** As the next two: nothing is said of a row that another has claimed since. */
  async settle(
    row: InboxRow,
    state: 'done' | 'ignored' | 'failed',
    problem: string | null,
    now: Instant,
  ): Promise<void> {
    const settledAt = state === 'failed' ? null : now;
    await this.sql.database
      .update(webhookInbox)
      .set({ state, problem, settledAt, nextAttemptAt: now })
      .where(this.claimed(row));
  }

  async wait(row: InboxRow, customerId: string, problem: string, now: Instant): Promise<void> {
    await this.sql.database
      .update(webhookInbox)
      .set({ state: 'waiting', customerId, problem, nextAttemptAt: now })
      .where(this.claimed(row));
  }

  async retryAt(row: InboxRow, nextAttemptAt: Instant, problem: string): Promise<void> {
    await this.sql.database.update(webhookInbox).set({ nextAttemptAt, problem }).where(this.claimed(row));
  }

  /** Drops what was taken care of before an instant: as it was sent, it may name people. */
  async forget(before: Instant): Promise<number> {
    const gone = await this.sql.database
      .delete(webhookInbox)
      .where(and(this.own(), inArray(webhookInbox.state, [...SETTLED]), lt(webhookInbox.settledAt, before)))
      .returning({ id: webhookInbox.eventId });
    return gone.length;
  }

  private rowOf({ eventId, type, raw, customerId }: InboxMessage, now: Instant) {
    return {
      ...{ provider: 'stripe' as const, ...this.account, eventId, type, raw, customerId },
      ...{ receivedAt: now, state: 'received' as const, nextAttemptAt: now },
    };
  }

  private own(): SQL | undefined {
    return and(eq(webhookInbox.provider, 'stripe'), ofAccount(webhookInbox, this.account));
  }

  private is({ eventId }: InboxRow): SQL | undefined {
    return and(this.own(), eq(webhookInbox.eventId, eventId));
  }

  /** A claim is known by when it runs out. */
  private claimed(row: InboxRow): SQL | undefined {
    const { state, nextAttemptAt, attempts } = webhookInbox;
    return and(
      this.is(row),
      eq(state, 'received'),
      eq(nextAttemptAt, row.nextAttemptAt),
      eq(attempts, row.attempts),
    );
  }
}

/** Of all accounts and modes: what an operator wants to know of. */
export async function inboxCounts(sql: Sql): Promise<InboxCounts> {
  const rows = await sql.database
    .select({ state: webhookInbox.state, rows: count(), oldestAt: min(webhookInbox.receivedAt) })
    .from(webhookInbox)
    .where(inArray(webhookInbox.state, ['received', 'waiting', 'failed']))
    .groupBy(webhookInbox.state);
  const of = (state: InboxState): number => rows.find((row) => row.state === state)?.rows ?? 0;
  const times = rows.map(({ oldestAt }) => oldestAt).filter((at) => at !== null);
  return {
    received: of('received'),
    waiting: of('waiting'),
    failed: of('failed'),
    oldestAt: times.reduce<Instant | null>(
      (oldest, at) => (oldest === null || at < oldest ? at : oldest),
      null,
    ),
  };
}

/** What is wrong with the oldest that failed, else with the oldest that waits; null where nothing is. */
export async function worstProblem(sql: Sql): Promise<string | null> {
  const [worst] = await sql.database
    .select({ problem: webhookInbox.problem })
    .from(webhookInbox)
    .where(
      and(inArray(webhookInbox.state, ['received', 'waiting', 'failed']), isNotNull(webhookInbox.problem)),
    )
    .orderBy(
      sqlText`case ${webhookInbox.state} when 'failed' then 0 when 'received' then 1 else 2 end`,
      asc(webhookInbox.receivedAt),
      asc(webhookInbox.eventId),
    )
    .limit(1);
  return worst?.problem ?? null;
}

/** Drops what was taken care of and holds one of the texts, of whichever account: as it was sent, it names people. Returns how many. */
export async function dropTold(sql: Sql, texts: readonly string[]): Promise<number> {
  let dropped = 0;
  for (const text of texts) {
    const gone = await sql.database
      .delete(webhookInbox)
      .where(
        and(
          inArray(webhookInbox.state, [...SETTLED]),
          sqlText`position(${Buffer.from(text)}::bytea in ${webhookInbox.raw}) > 0`,
        ),
      )
      .returning({ id: webhookInbox.eventId });
    dropped += gone.length;
  }
  return dropped;
}
