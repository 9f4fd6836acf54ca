import { and, asc, eq, gt, inArray, isNull, lte, ne, sql as sqlText } from 'drizzle-orm';
import { formatDecimal, negateDecimal, parseDecimal } from '../../core/decimal.js';
import { addMonths, formatDate, parseDate, type Instant, type Period } from '../../core/time.js';
import { watermarkJson, type WatermarkVector } from '../../core/raw-event.js';
import type { IntentStore } from '../../platform/outbound/intent-store.js';
import type { OutsideAccount } from '../../platform/outbound/intent.js';
import {
  billBreaks,
  billLines,
  bills,
  carryMovements,
  stripeCustomers,
} from '../../platform/sql/billing-schema.js';
import { runHolds } from '../../platform/sql/schema.js';
import type { Sql, SqlDatabase } from '../../platform/sql/sql.js';
import type { SpentCredits } from '../adjustments/credits.js';
import type { OverageLine } from '../overage-plan.js';
import { billIntents, carriedIntentId, lineIntentId, type BillContext } from './bill-intents.js';
import type { BilledSoFar } from './approval.js';
import { ofAccount } from '../../platform/sql/of-account.js';
import { creditQuantitySum, spentCredits } from './spent-credits.js';
import { orgCurrency, type BillBooks, type LedgerLine, type Payer } from './bill-books.js';
import type { Bill, BillLine, BillPlan } from './bill-plan.js';

export type KeptBill = typeof bills.$inferSelect;
export type KeptBillLine = typeof billLines.$inferSelect;

/** What the usage of a plan was read from, and who asked for it. */
export interface PlanOrigin {
  readonly runId: string;
  readonly watermark: WatermarkVector;
  readonly actor: string;
}

/** With the newest run that it was entered from. */
interface EnteredLine extends LedgerLine {
  readonly runId: string;
}

export interface DraftLine {
  readonly billId: string;
  readonly lineId: string;
  readonly meterId: string;
}

/** An entry that gives back what a withdrawn bill had entered. */
export function isWithdrawal({ causeId }: KeptBillLine): boolean {
  return causeId.startsWith('wdr_');
}

/** What a run brings to its end. */
export const UNFINISHED = ['planned', 'blocked', 'refused'] as const;

/** Rows in one statement, and ids in one list: what parameters allow. */
const ROWS_AT_ONCE = 500;

/** The ledger of one account in one mode. */
export class BillStore {
  constructor(
    private readonly sql: Sql,
    readonly account: OutsideAccount,
    private readonly intents: IntentStore,
  ) {}

  /** What was entered before, for a plan of the lines given, and the newest run that any of it came from; '' of nothing. */
  async books(
    month: string,
    lineIds: readonly string[],
  ): Promise<
    Pick<BillBooks, 'ledger' | 'carriedMinor' | 'billCounts' | 'billedMinor' | 'payers'> & {
      newestRunId: string;
    }
  > {
    const ledger = await this.ledgerOf(lineIds);
    const runIds = [...ledger.values()].flat().map(({ runId }) => runId);
    return {
      ledger,
      newestRunId: runIds.reduce((newest, runId) => (runId > newest ? runId : newest), ''),
      carriedMinor: await this.carried(),
      billCounts: await this.billCounts(month),
      billedMinor: await this.billedSoFar(month),
      payers: await this.payers(),
    };
  }

  /**
   * Lines of which something is billed, and that are not rated any more: a cancellation came late, a billing anchor moved. They are
   * worth nothing, as lines.
   *
   * @param rated the lines of these periods that are
   */
  async vanished(ending: Period, orgId: string | null, rated: ReadonlySet<string>): Promise<OverageLine[]> {
    const rows = await this.sql.database
      .select()
      .from(billLines)
      .where(
        and(
          ofAccount(billLines, this.account),
          gt(billLines.periodEnd, ending.start),
          lte(billLines.periodEnd, ending.end),
          orgId === null ? undefined : eq(billLines.orgId, orgId),
        ),
      )
      .orderBy(asc(billLines.lineId), asc(billLines.sequence));
    const last = new Map(rows.filter(({ lineId }) => !rated.has(lineId)).map((row) => [row.lineId, row]));
    return [...last.values()].map(worthNothing);
  }

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
      .select({ billId: bills.billId, lineId: billLines.lineId, meterId: billLines.meterId })
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
    const ledger = await this.ledgerOf(
      lines.map(({ lineId }) => lineId),
      database,
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
      carriedIntentId: carriedItemMinor === 0n ? null : carriedIntentId(bill, context),
      state: approvalReason === null ? 'planned' : 'awaiting_approval',
      createdAt: now,
      createdBy: actor,
    };
  }

  private async ledgerOf(
    lineIds: readonly string[],
    database: SqlDatabase = this.sql.database,
  ): Promise<Map<string, EnteredLine[]>> {
    const ledger = new Map<string, EnteredLine[]>();
    for (const some of chunks(lineIds)) {
      const entered = await database
        .select({
          lineId: billLines.lineId,
          currency: billLines.currency,
          amountMinor: sqlText`sum(${billLines.amountMinor})`.mapWith(BigInt),
          sequence: sqlText`max(${billLines.sequence})`.mapWith(Number),
          creditQuantity: creditQuantitySum(),
          runId: sqlText<string>`max(${billLines.runId})`,
        })
        .from(billLines)
        .where(and(ofAccount(billLines, this.account), inArray(billLines.lineId, [...some])))
        .groupBy(billLines.lineId, billLines.currency);
      for (const line of entered) ledger.set(line.lineId, [...(ledger.get(line.lineId) ?? []), line]);
    }
    return ledger;
  }

  private async carried(): Promise<Map<string, bigint>> {
    const rows = await this.sql.database
      .select({
        orgId: carryMovements.orgId,
        currency: carryMovements.currency,
        amountMinor: sqlText`sum(${carryMovements.amountMinor})`.mapWith(BigInt),
      })
      .from(carryMovements)
      .where(ofAccount(carryMovements, this.account))
      .groupBy(carryMovements.orgId, carryMovements.currency);
    return new Map(
      rows.map(({ orgId, currency, amountMinor }) => [orgCurrency(orgId, currency), amountMinor]),
    );
  }

  private async billCounts(month: string): Promise<Map<string, number>> {
    const rows = await this.sql.database
      .select({
        orgId: bills.orgId,
        currency: bills.currency,
        sequence: sqlText`max(${bills.sequence})`.mapWith(Number),
      })
      .from(bills)
      .where(and(ofAccount(bills, this.account), eq(bills.month, month)))
      .groupBy(bills.orgId, bills.currency);
    return new Map(rows.map(({ orgId, currency, sequence }) => [orgCurrency(orgId, currency), sequence]));
  }

  private async billedSoFar(month: string): Promise<Map<string, BilledSoFar>> {
    const totalOf = (date: string) =>
      sqlText`coalesce(sum(${bills.totalMinor}) filter (where ${bills.month} = ${date}), 0)`.mapWith(BigInt);
    const lastMonth = formatDate(addMonths(parseDate(month), -1));
    const rows = await this.sql.database
      .select({
        orgId: bills.orgId,
        currency: bills.currency,
        monthMinor: totalOf(month),
        lastMonthMinor: totalOf(lastMonth),
      })
      .from(bills)
      .where(
        and(
          ofAccount(bills, this.account),
          inArray(bills.month, [month, lastMonth]),
          ne(bills.state, 'withdrawn'),
        ),
      )
      .groupBy(bills.orgId, bills.currency);
    return new Map(rows.map(({ orgId, currency, ...billed }) => [orgCurrency(orgId, currency), billed]));
  }

  private async payers(): Promise<Map<string, Payer>> {
    const rows = await this.sql.database
      .select()
      .from(stripeCustomers)
      .where(ofAccount(stripeCustomers, this.account));
    return new Map(rows.map((row) => [row.orgId, payerOf(row)]));
  }
}

function payerOf(row: typeof stripeCustomers.$inferSelect): Payer {
  const { customerId, currency, collectionMethod, daysUntilDue } = row;
  return {
    customerId,
    currency,
    collection:
      collectionMethod === 'send_invoice'
        ? { method: 'send_invoice', daysUntilDue: daysUntilDue ?? 0 }
        : { method: 'charge_automatically' },
  };
}

/** A line that is rated no more, as rated: correcting it gives back what was billed of it. */
function worthNothing(entry: KeptBillLine): OverageLine {
  const { lineId, orgId, subscriptionId, meterId, included, currency, catalogVersion } = entry;
  const { kind, words, creditId } = entry;
  return {
    ...{ lineId, orgId, subscriptionId, meterId, included, catalogVersion },
    period: { start: entry.periodStart, end: entry.periodEnd },
    ...{ used: '0', overage: '0', events: 0, eventDigest: '0' },
    ...{ status: 'within', reason: null, amount: { amountMinor: 0n, currency } },
    ...{ isAssumed: false, isIncludedAssumed: false, stopPolicy: 'soft' },
    adjustment:
      kind === 'usage'
        ? null
        : // It takes nothing of any credit any more, whatever they have left.
          { kind, words: words ?? '', creditId, quantity: null, creditsLeft: {} },
  };
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

function chunks<One>(all: readonly One[]): One[][] {
  const parts: One[][] = [];
  for (let start = 0; start < all.length; start += ROWS_AT_ONCE)
    parts.push(all.slice(start, start + ROWS_AT_ONCE));
  return parts;
}
