import { and, asc, eq, gt, inArray, lte, ne, sql as sqlText } from 'drizzle-orm';
import { addMonths, formatDate, parseDate, type Period } from '../../core/time.js';
import type { OutsideAccount } from '../../platform/outbound/intent.js';
import { billLines, bills, carryMovements, stripeCustomers } from '../../platform/sql/billing-schema.js';
import { chunks } from '../../platform/sql/chunks.js';
import { ofAccount } from '../../platform/sql/of-account.js';
import type { Sql, SqlDatabase } from '../../platform/sql/sql.js';
import type { OverageLine } from '../overage-plan.js';
import type { BilledSoFar } from './approval.js';
import { orgCurrency, type BillBooks, type LedgerLine, type Payer } from './bill-books.js';
import type { KeptBillLine } from './bill-store.js';
import { creditQuantitySum } from './spent-credits.js';

/** With the newest run that it was entered from. */
interface EnteredLine extends LedgerLine {
  readonly runId: string;
}

/** What was entered before, for a plan of the lines given, and the newest run that any of it came from; '' of nothing. */
export async function readBooks(
  sql: Sql,
  account: OutsideAccount,
  month: string,
  lineIds: readonly string[],
): Promise<
  Pick<BillBooks, 'ledger' | 'carriedMinor' | 'billCounts' | 'billedMinor' | 'payers'> & {
    newestRunId: string;
  }
> {
  const ledger = await ledgerOf(sql.database, account, lineIds);
  const runIds = [...ledger.values()].flat().map(({ runId }) => runId);
  return {
    ledger,
    newestRunId: runIds.reduce((newest, runId) => (runId > newest ? runId : newest), ''),
    carriedMinor: await carried(sql, account),
    billCounts: await billCounts(sql, account, month),
    billedMinor: await billedSoFar(sql, account, month),
    payers: await payers(sql, account),
  };
}

/**
 * Lines of which something is billed, and that are not rated any more: a cancellation came late, a billing anchor moved. They are
 * worth nothing, as lines.
 *
 * @param rated the lines of these periods that are
 */
export async function vanishedLines(
  sql: Sql,
  account: OutsideAccount,
  { ending, orgId }: { readonly ending: Period; readonly orgId: string | null },
  rated: ReadonlySet<string>,
): Promise<OverageLine[]> {
  const rows = await sql.database
    .select()
    .from(billLines)
    .where(
      and(
        ofAccount(billLines, account),
        gt(billLines.periodEnd, ending.start),
        lte(billLines.periodEnd, ending.end),
        orgId === null ? undefined : eq(billLines.orgId, orgId),
      ),
    )
    .orderBy(asc(billLines.lineId), asc(billLines.sequence));
  const last = new Map(rows.filter(({ lineId }) => !rated.has(lineId)).map((row) => [row.lineId, row]));
  return [...last.values()].map(worthNothing);
}

/** What was entered of lines, by line; one for each currency. */
export async function ledgerOf(
  database: SqlDatabase,
  account: OutsideAccount,
  lineIds: readonly string[],
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
      .where(and(ofAccount(billLines, account), inArray(billLines.lineId, [...some])))
      .groupBy(billLines.lineId, billLines.currency);
    for (const line of entered) ledger.set(line.lineId, [...(ledger.get(line.lineId) ?? []), line]);
  }
  return ledger;
}

async function carried(sql: Sql, account: OutsideAccount): Promise<Map<string, bigint>> {
  const rows = await sql.database
    .select({
      orgId: carryMovements.orgId,
      currency: carryMovements.currency,
      amountMinor: sqlText`sum(${carryMovements.amountMinor})`.mapWith(BigInt),
    })
    .from(carryMovements)
    .where(ofAccount(carryMovements, account))
    .groupBy(carryMovements.orgId, carryMovements.currency);
  return new Map(rows.map(({ orgId, currency, amountMinor }) => [orgCurrency(orgId, currency), amountMinor]));
}

async function billCounts(sql: Sql, account: OutsideAccount, month: string): Promise<Map<string, number>> {
  const rows = await sql.database
    .select({
      orgId: bills.orgId,
      currency: bills.currency,
      sequence: sqlText`max(${bills.sequence})`.mapWith(Number),
    })
    .from(bills)
    .where(and(ofAccount(bills, account), eq(bills.month, month)))
    .groupBy(bills.orgId, bills.currency);
  return new Map(rows.map(({ orgId, currency, sequence }) => [orgCurrency(orgId, currency), sequence]));
}

async function billedSoFar(
  sql: Sql,
  account: OutsideAccount,
  month: string,
): Promise<Map<string, BilledSoFar>> {
  const totalOf = (date: string) =>
    sqlText`coalesce(sum(${bills.totalMinor}) filter (where ${bills.month} = ${date}), 0)`.mapWith(BigInt);
  const lastMonth = formatDate(addMonths(parseDate(month), -1));
  const rows = await sql.database
    .select({
      orgId: bills.orgId,
      currency: bills.currency,
      monthMinor: totalOf(month),
      lastMonthMinor: totalOf(lastMonth),
    })
    .from(bills)
    .where(
      and(ofAccount(bills, account), inArray(bills.month, [month, lastMonth]), ne(bills.state, 'withdrawn')),
    )
    .groupBy(bills.orgId, bills.currency);
  return new Map(rows.map(({ orgId, currency, ...billed }) => [orgCurrency(orgId, currency), billed]));
}

async function payers(sql: Sql, account: OutsideAccount): Promise<Map<string, Payer>> {
  const rows = await sql.database.select().from(stripeCustomers).where(ofAccount(stripeCustomers, account));
  return new Map(rows.map((row) => [row.orgId, payerOf(row)]));
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
