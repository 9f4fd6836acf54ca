import { and, asc, eq, inArray, ne } from 'drizzle-orm';
import { z } from 'zod';
import { InvariantError, UnavailableError } from '../../core/errors.js';
import type { Instant } from '../../core/time.js';
import { outboundIntents } from '../sql/billing-schema.js';
import type { Sql, SqlDatabase } from '../sql/sql.js';
import { requestText, type FrozenRequest, type Intent, type RequestParameters } from './intent.js';
import type { OutsideObject } from './other-side.js';

type Row = typeof outboundIntents.$inferSelect;
export type IntentState = Row['state'];

/** An intent, and where it stands. */
export interface KeptIntent extends Intent {
  readonly state: IntentState;
  /** Which send of it is under way or was the last; 0 before the first. Each has an idempotency key of its own. */
  readonly attempt: number;
  readonly attemptBeganAt: Instant | null;
  /** The key of this attempt will not tell what happened: one must look. */
  readonly mustLook: boolean;
  readonly object: OutsideObject | null;
  /** Why it was refused or is in quarantine. */
  readonly problem: { readonly code: string; readonly message: string } | null;
}

const Parameters: z.ZodType<RequestParameters> = z.lazy(() =>
  z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), Parameters])),
);
const Request = z.object({
  path: z.string(),
  parameters: Parameters,
  on: z.string().nullable(),
  onParameter: z.string().nullable(),
});

/** What is to leave the house, and what has become of it. Each step is one statement, which does nothing to an intent that moved on. */
export class IntentStore {
  constructor(private readonly sql: Sql) {}

  /**
   * Writes down what is to happen, in the caller's transaction; known intents stay as they are.
   *
   * @throws InvariantError when one of them is known with another request: a purpose is billed once, and corrected by the next sequence
   */
  async add(database: SqlDatabase, groupId: string, intents: readonly Intent[], now: Instant): Promise<void> {
    if (intents.length === 0) return;
    await database
      .insert(outboundIntents)
      .values(intents.map((intent, position) => rowOf(intent, groupId, position, now)))
      .onConflictDoNothing();
    const ids = intents.map(({ intentId }) => intentId);
    const kept = await database.select().from(outboundIntents).where(inArray(outboundIntents.intentId, ids));
    const texts = new Map(kept.map(({ intentId, request }) => [intentId, request]));
    for (const { intentId, request } of intents) {
      if (texts.get(intentId) === requestText(request)) continue;
      throw new InvariantError(`intent ${intentId} was written down before with another request`);
    }
  }

  /** Of one group, in the order in which they are carried out. */
  async ofGroup(groupId: string): Promise<KeptIntent[]> {
    const rows = await this.sql.database
      .select()
      .from(outboundIntents)
      .where(eq(outboundIntents.groupId, groupId))
      .orderBy(asc(outboundIntents.position));
    return rows.map(keptIntent);
  }

  /** Before the first byte of an attempt leaves. */
  begin(intent: KeptIntent, now: Instant): Promise<KeptIntent> {
    return this.move(intent, {
      state: 'sending',
      attempt: intent.attempt + 1,
      attemptBeganAt: now,
      mustLook: false,
      problemCode: null,
      problemMessage: null,
    });
  }

  distrustKey(intent: KeptIntent): Promise<KeptIntent> {
    return this.move(intent, { mustLook: true });
  }

  settle(intent: KeptIntent, object: OutsideObject, now: Instant): Promise<KeptIntent> {
    return this.move(intent, {
      state: 'done',
      objectId: object.objectId,
      objectAmountMinor: object.amountMinor,
      objectCurrency: object.currency,
      objectStatus: object.status,
      settledAt: now,
    });
  }

  stop(
    intent: KeptIntent,
    state: 'refused' | 'quarantined',
    problem: { readonly code: string; readonly message: string },
    now: Instant,
  ): Promise<KeptIntent> {
    return this.move(intent, {
      state,
      problemCode: problem.code,
      problemMessage: problem.message,
      settledAt: now,
    });
  }

  /** In the caller's transaction: what of a group has not come to its end is never sent again, whoever still means to. */
  async withdraw(database: SqlDatabase, groupId: string, now: Instant): Promise<void> {
    await database
      .update(outboundIntents)
      .set({ state: 'withdrawn', settledAt: now })
      .where(and(eq(outboundIntents.groupId, groupId), ne(outboundIntents.state, 'done')));
  }

  private async move(
    { intentId, state, attempt }: KeptIntent,
    changes: Partial<typeof outboundIntents.$inferInsert>,
  ): Promise<KeptIntent> {
    const [row] = await this.sql.database
      .update(outboundIntents)
      .set(changes)
      .where(
        and(
          eq(outboundIntents.intentId, intentId),
          eq(outboundIntents.state, state),
          eq(outboundIntents.attempt, attempt),
        ),
      )
      .returning();
    if (row !== undefined) return keptIntent(row);
    throw new UnavailableError(
      'lease_lost',
      `intent ${intentId}: another process has moved it on, and goes on with it`,
      { details: { retryAfterSeconds: 1 } },
    );
  }
}

function rowOf(
  { intentId, purpose, request }: Intent,
  groupId: string,
  position: number,
  now: Instant,
): typeof outboundIntents.$inferInsert {
  const { period, ...rest } = purpose;
  return {
    ...rest,
    intentId,
    groupId,
    position,
    periodStart: period.start,
    periodEnd: period.end,
    request: requestText(request),
    state: 'planned',
    createdAt: now,
  };
}

function keptIntent(row: Row): KeptIntent {
  const { account, mode, kind, scope, meter, sequence, periodStart, periodEnd } = row;
  const request: FrozenRequest = Request.parse(JSON.parse(row.request));
  return {
    intentId: row.intentId,
    purpose: {
      ...{ account, mode, kind, scope, meter, sequence },
      period: { start: periodStart, end: periodEnd },
    },
    request,
    state: row.state,
    attempt: row.attempt,
    attemptBeganAt: row.attemptBeganAt,
    mustLook: row.mustLook,
    object:
      row.objectId === null
        ? null
        : {
            objectId: row.objectId,
            amountMinor: row.objectAmountMinor,
            currency: row.objectCurrency,
            status: row.objectStatus,
          },
    problem: row.problemCode === null ? null : { code: row.problemCode, message: row.problemMessage ?? '' },
  };
}
