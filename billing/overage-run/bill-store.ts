import { and, asc, eq, inArray, isNull, ne } from 'drizzle-orm';
import { formatDecimal, negateDecimal, parseDecimal } from '../../core/decimal.js';
import type { Instant, Period } from '../../core/time.js';
import { watermarkJson, type WatermarkVector } from '../../core/raw-event.js';
import type { IntentStore } from '../../platform/outbound/intent-store.js';
import type { OutsideAccount } from '../../platform/outbound/intent.js';
import { billBreaks, billLines, bills, carryMovements } from '../../platform/sql/billing-schema.js';
import { chunks } from '../../platform/sql/chunks.js';
import { runHolds } from '../../platform/sql/schema.js';
import type { Sql, SqlDatabase } from '../../platform/sql/sql.js';
import type { SpentCredits } from '../adjustments/credits.js';
import { billIntents, carriedIntentId, lineIntentId, type BillContext } from './bill-intents.js';
import { ofAccount } from '../../platform/sql/of-account.js';
import { ledgerOf } from './read-ledger.js';
import { spentCredits } from './spent-credits.js';
import type { Bill, BillLine, BillPlan } from './bill-plan.js';

export type KeptBill = typeof bills.$inferSelect;
export type KeptBillLine = typeof billLines.$inferSelect;

/** What the usage of a plan was read from, and who asked for it. */
export interface PlanOrigin {
  readonly runId: string;
  readonly watermark: WatermarkVector;
  readonly actor: string;
}

export interface DraftLine {
  readonly billId: string;
  readonly lineId: string;
  readonly meterId: string;
  readonly kind: KeptBillLine['kind'];
}

/** An entry that gives back what a withdrawn bill had entered. */
export function isWithdrawal({ causeId }: KeptBillLine): boolean {
  return causeId.startsWith('wdr_');
}

/** What a run brings to its end. */
export const UNFINISHED = ['planned', 'blocked', 'refused'] as const;

/** The ledger of one account in one mode. */
export class BillStore {
  constructor(
    private readonly sql: Sql,
    readonly account: OutsideAccount,
    private readonly intents: IntentStore,
  ) {}

  /** What is used up of credits, by periods that did not end inside `ending`; null: by all. */
  spentCredits(ending: Period | null, orgId: string | null): Promise<SpentCredits> {
    return spentCredits(this.sql, this.account, { ending, orgId });
  }

  /**
   * Writes a plan down, all of it or nothing, in the caller's transaction: from then on it is carried out, whoever does it. A plan that
   * was made at the same time as another one of the same lines is refused by the keys of the tables.
   */
  async enter(
    database: SqlDatabase,
    plan: BillPlan,
    context: BillContext,
    origin: PlanOrigin,
    now: Instant,
  ): Promise<void> {
    const reasons = new Map(plan.carried.map(({ carriedId, reason }) => [carriedId, reason]));
    const lines = [
      ...plan.bills.flatMap((bill) => bill.lines.map((line) => lineRow(line, bill.billId, bill.currency))),
      ...plan.carried.flatMap((one) => one.lines.map((line) => lineRow(line, one.carriedId, one.currency))),
    ];
    const rowOfLine = (row: (typeof lines)[number]) => ({
      ...this.account,
      ...row.columns,
      intentId: row.line.chargedMinor === 0n ? null : lineIntentId(row.line, context),
      runId: origin.runId,
      watermark: watermarkJson(origin.watermark),
      createdAt: now,
    });
    for (const some of chunks(plan.bills.map((bill) => this.billRow(bill, context, origin, now)))) {
      await database.insert(bills).values(some);
    }
    for (const some of chunks(lines.map(rowOfLine))) await database.insert(billLines).values(some);
    const movements = plan.movements.map((movement) => ({
      ...{ ...this.account, ...movement, month: context.month, createdAt: now },
      reason: reasons.get(movement.causeId) ?? ('billed' as const),
    }));
    for (const some of chunks(movements)) await database.insert(carryMovements).values(some);
    for (const bill of plan.bills) {
      await this.intents.add(database, bill.billId, billIntents(bill, context), now);
    }
    if (lines.length > 0) {
      const hold = { runId: origin.runId, holder: `bills of ${context.month.slice(0, 7)}` };
      await database.insert(runHolds).values(hold).onConflictDoNothing();
    }
  }

  /** Bills that are not final yet, oldest first. */
  unfinished(orgId: string | null): Promise<KeptBill[]> {
    return this.sql.database
      .select()
      .from(bills)
      .where(
        and(
          ofAccount(bills, this.account),
          inArray(bills.state, [...UNFINISHED]),
          orgId === null ? undefined : eq(bills.orgId, orgId),
        ),
      )
      .orderBy(asc(bills.createdAt), asc(bills.orgId), asc(bills.billId));
  }

  /** What is on invoices that are not final yet, also on those that wait for somebody. */
  draftLines(orgId: string | null): Promise<DraftLine[]> {
    return this.sql.database
      .select({
        ...{ billId: bills.billId, lineId: billLines.lineId },
        ...{ meterId: billLines.meterId, kind: billLines.kind },
      })
      .from(billLines)
      .innerJoin(bills, eq(bills.billId, billLines.causeId))
      .where(
        and(
          ofAccount(bills, this.account),
          inArray(bills.state, ['awaiting_approval', ...UNFINISHED]),
          isNull(bills.creditsBillId),
          orgId === null ? undefined : eq(bills.orgId, orgId),
        ),
      );
  }

  /** Credit notes on the invoice of a bill that were not withdrawn. */
  notesOn(database: SqlDatabase, billId: string): Promise<KeptBill[]> {
    return database
      .select()
      .from(bills)
      .where(and(eq(bills.creditsBillId, billId), ne(bills.state, 'withdrawn')))
      .orderBy(asc(bills.billId));
  }

  linesOf(billId: string): Promise<KeptBillLine[]> {
    return this.sql.database
      .select()
      .from(billLines)
      .where(eq(billLines.causeId, billId))
      .orderBy(asc(billLines.lineId), asc(billLines.sequence));
  }

  /** As they stand now: others may have moved them on since they were listed. */
  async reload(billIds: readonly string[]): Promise<KeptBill[]> {
    const rows = await this.sql.database
      .select()
      .from(bills)
      .where(inArray(bills.billId, [...billIds]));
    return billIds.flatMap((billId) => rows.filter((row) => row.billId === billId));
  }

  /**
   * In the caller's transaction; a bill that is final or withdrawn stays so.
   *
   * @returns whether it was moved on
   */
  async settle(
    database: SqlDatabase,
    billId: string,
    changes: Pick<
      KeptBill,
      'state' | 'invoiceId' | 'creditNoteId' | 'problemCode' | 'problemMessage' | 'finalizedAt'
    >,
  ): Promise<boolean> {
    const moved = await database
      .update(bills)
      .set(changes)
      .where(and(eq(bills.billId, billId), inArray(bills.state, [...UNFINISHED])))
      .returning({ billId: bills.billId });
    return moved.length > 0;
  }

  /**
   * Gives back, in the caller's transaction, what a bill had entered: its lines are unbilled again, and what waited waits. Once, and
   * only while the bill is in the state that it was found in.
   *
   * @returns whether it was withdrawn by this
   */
  async withdraw(
    database: SqlDatabase,
    bill: KeptBill,
    withdrawalId: string,
    now: Instant,
  ): Promise<boolean> {
    const moved = await database
      .update(bills)
      .set({ state: 'withdrawn' })
      .where(and(eq(bills.billId, bill.billId), eq(bills.state, bill.state), ne(bills.state, 'withdrawn')))
      .returning({ billId: bills.billId });
    if (moved.length === 0) return false;
    await this.intents.withdraw(database, bill.billId, now);
    // What was wrong with its invoice is nobody's to mend any more.
    await database
      .update(billBreaks)
      .set({ closedAt: now })
      .where(and(eq(billBreaks.billId, bill.billId), isNull(billBreaks.closedAt)));
    const lines = await database.select().from(billLines).where(eq(billLines.causeId, bill.billId));
    const ledger = await ledgerOf(
      database,
      this.account,
      lines.map(({ lineId }) => lineId),
    );
    const next = new Map(
      [...ledger].map(([lineId, all]) => [lineId, Math.max(...all.map(({ sequence }) => sequence))]),
    );
    const reversed = lines.map((line) => {
      const sequence = (next.get(line.lineId) ?? 0) + 1;
      next.set(line.lineId, sequence);
      const given = { sequence, causeId: withdrawalId, intentId: null, createdAt: now };
      return {
        ...{ ...line, ...given, amountMinor: -line.amountMinor, chargedMinor: 0n },
        creditQuantity:
          line.creditQuantity && formatDecimal(negateDecimal(parseDecimal(line.creditQuantity))),
      };
    });
    for (const some of chunks(reversed)) await database.insert(billLines).values(some);
    const [movement] = await database
      .select()
      .from(carryMovements)
      .where(eq(carryMovements.causeId, bill.billId));
    if (movement !== undefined) {
      await database.insert(carryMovements).values({
        ...{ ...movement, causeId: withdrawalId, amountMinor: -movement.amountMinor },
        ...{ reason: 'withdrawn', createdAt: now },
      });
    }
    return true;
  }

  private billRow(
    bill: Bill,
    context: BillContext,
    { runId, actor }: PlanOrigin,
    now: Instant,
  ): typeof bills.$inferInsert {
    const { billId, orgId, currency, sequence, payer, totalMinor, carriedItemMinor } = bill;
    const { approvalReason, credits } = bill;
    return {
      ...this.account,
      ...{ billId, orgId, currency, sequence, totalMinor, carriedItemMinor, runId, approvalReason },
      month: context.month,
      customerId: payer.customerId,
      creditsBillId: credits?.billId ?? null,
      invoiceId: credits?.invoiceId ?? null,
      creditableMinor: credits?.leftMinor ?? null,
      carriedIntentId: carriedItemMinor === 0n ? null : carriedIntentId(bill, context),
      state: approvalReason === null ? 'planned' : 'awaiting_approval',
      createdAt: now,
      createdBy: actor,
    };
  }
}

function lineRow(line: BillLine, causeId: string, currency: string) {
  const { rated, sequence, amountMinor, chargedMinor } = line;
  const { lineId, orgId, subscriptionId, meterId, period, used, included, overage, adjustment } = rated;
  const isQuantity = adjustment?.kind === 'quantity_credit';
  return {
    line,
    columns: {
      ...{ lineId, sequence, causeId, orgId, subscriptionId, meterId, used, included, overage },
      ...{ amountMinor, chargedMinor, currency },
      kind: adjustment?.kind ?? ('usage' as const),
      creditId: adjustment?.creditId ?? null,
      creditQuantity: isQuantity ? formatDecimal(line.creditQuantity) : null,
      words: adjustment?.words ?? null,
      creditsLeft: adjustment?.creditsLeft ?? null,
      periodStart: period.start,
      periodEnd: period.end,
      isAssumed: rated.isAssumed,
      catalogVersion: rated.catalogVersion,
      events: rated.events,
      eventDigest: rated.eventDigest,
    },
  };
}
