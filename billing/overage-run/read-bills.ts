import {
  and,
  asc,
  desc,
  eq,
  gt,
  gte,
  inArray,
  isNotNull,
  isNull,
  lt,
  min,
  ne,
  or,
  sql as sqlText,
  type SQL,
} from 'drizzle-orm';
import { InputError } from '../../core/errors.js';
import type { OutsideAccount } from '../../platform/outbound/intent.js';
import { billBreaks, bills, billLines, carryMovements } from '../../platform/sql/billing-schema.js';
import { chunks } from '../../platform/sql/chunks.js';
import type { Sql } from '../../platform/sql/sql.js';
import type { KeptBill, KeptBillLine } from './bill-store.js';
import { ofAccount } from '../../platform/sql/of-account.js';

export interface BillFilter {
  readonly month?: string | undefined;
  readonly orgId?: string | undefined;
  readonly state?: KeptBill['state'] | undefined;
}

/** A bill's place in the list. */
export type BillPlace = readonly [month: string, orgId: string, billId: string];

/** The newest month first, then by org. */
export function listBills(
  sql: Sql,
  account: OutsideAccount,
  filter: BillFilter,
  { after, limit }: { readonly after: BillPlace | null; readonly limit: number },
): Promise<KeptBill[]> {
  const { month, orgId, state } = filter;
  return sql.database
    .select()
    .from(bills)
    .where(
      and(
        ofAccount(bills, account),
        month === undefined ? undefined : eq(bills.month, month),
        orgId === undefined ? undefined : eq(bills.orgId, orgId),
        state === undefined ? undefined : eq(bills.state, state),
        after === null ? undefined : isAfter(after),
      ),
    )
    .orderBy(desc(bills.month), asc(bills.orgId), asc(bills.billId))
    .limit(limit);
}

function isAfter([month, orgId, billId]: BillPlace): SQL | undefined {
  return or(
    lt(bills.month, month),
    and(eq(bills.month, month), gt(bills.orgId, orgId)),
    and(eq(bills.month, month), eq(bills.orgId, orgId), gt(bills.billId, billId)),
  );
}

/** First day of the first month that anything was entered of, also what waits; null: nothing was. */
export async function firstBilledMonth(sql: Sql, account: OutsideAccount): Promise<string | null> {
  const [billed] = await sql.database
    .select({ month: min(bills.month) })
    .from(bills)
    .where(ofAccount(bills, account));
  const [carried] = await sql.database
    .select({ month: min(carryMovements.month) })
    .from(carryMovements)
    .where(ofAccount(carryMovements, account));
  const [first] = [billed?.month, carried?.month].filter((month) => month != null).sort();
  return first ?? null;
}

/** @throws InputError `not_found` */
export async function getBill(sql: Sql, account: OutsideAccount, billId: string): Promise<KeptBill> {
  const [bill] = await sql.database
    .select()
    .from(bills)
    .where(and(ofAccount(bills, account), eq(bills.billId, billId)));
  if (bill !== undefined) return bill;
  throw new InputError(
    'not_found',
    `there is no bill ${billId.slice(0, 80)}; headgate billing status lists them`,
    {
      status: 404,
    },
  );
}

/** Bills with an invoice, to be held against Stripe: those of months since, and those with an open break. */
export function billsToCheck(sql: Sql, account: OutsideAccount, since: string): Promise<KeptBill[]> {
  const broken = sql.database
    .select({ billId: billBreaks.billId })
    .from(billBreaks)
    .where(isNull(billBreaks.closedAt));
  return sql.database
    .select()
    .from(bills)
    .where(
      and(
        ofAccount(bills, account),
        isNotNull(bills.invoiceId),
        ne(bills.state, 'withdrawn'),
        or(gte(bills.month, since), inArray(bills.billId, broken)),
      ),
    )
    .orderBy(asc(bills.month), asc(bills.orgId), asc(bills.billId));
}

/** Why a credit note was not sent as it was written down. */
export const INVOICE_CHANGED = 'invoice_changed';

/** What a final invoice charged of a rated line. */
export interface Charge {
  readonly lineId: string;
  readonly currency: string;
  readonly billId: string;
  readonly invoiceId: string;
  readonly customerId: string;
  readonly chargedMinor: bigint;
}

/** On final invoices, in the order in which they were made. */
export async function chargesOf(
  sql: Sql,
  account: OutsideAccount,
  lineIds: readonly string[],
): Promise<Charge[]> {
  const charges: Charge[] = [];
  for (const some of chunks(lineIds)) {
    const rows = await sql.database
      .select({
        ...{ lineId: billLines.lineId, currency: billLines.currency, billId: bills.billId },
        ...{ invoiceId: bills.invoiceId, customerId: bills.customerId },
        chargedMinor: sqlText`sum(${billLines.chargedMinor})`.mapWith(BigInt),
      })
      .from(billLines)
      .innerJoin(bills, eq(bills.billId, billLines.causeId))
      .where(
        and(
          ofAccount(billLines, account),
          inArray(billLines.lineId, some),
          gt(billLines.chargedMinor, 0n),
          eq(bills.state, 'finalized'),
          isNull(bills.creditsBillId),
        ),
      )
      .groupBy(billLines.lineId, billLines.currency, bills.billId)
      .orderBy(asc(bills.createdAt), asc(bills.billId));
    for (const { invoiceId, ...row } of rows) if (invoiceId !== null) charges.push({ ...row, invoiceId });
  }
  return charges;
}

/** By credited bill: credit notes that Stripe refused, and that were taken back for it. */
export async function refusedNotes(
  sql: Sql,
  billIds: readonly string[],
): Promise<ReadonlyMap<string | null, number>> {
  if (billIds.length === 0) return new Map();
  const rows = await sql.database
    .select({ billId: bills.creditsBillId, refusals: sqlText`count(*)`.mapWith(Number) })
    .from(bills)
    .where(
      and(
        inArray(bills.creditsBillId, [...billIds]),
        eq(bills.state, 'withdrawn'),
        isNotNull(bills.problemCode),
        ne(bills.problemCode, INVOICE_CHANGED),
      ),
    )
    .groupBy(bills.creditsBillId);
  return new Map(rows.map(({ billId, refusals }) => [billId, refusals]));
}

/** The newest entry of a rated line, whichever account it was billed by. */
export async function newestEntryOf(sql: Sql, lineId: string): Promise<KeptBillLine | null> {
  const [entry] = await sql.database
    .select()
    .from(billLines)
    .where(eq(billLines.lineId, lineId))
    .orderBy(desc(billLines.createdAt), desc(billLines.sequence))
    .limit(1);
  return entry ?? null;
}

/** What the ledger has of a rated line, oldest first. */
export function entriesOf(sql: Sql, account: OutsideAccount, lineId: string): Promise<KeptBillLine[]> {
  return entriesOfLines(sql, account, [lineId]);
}

/** Of the lines of one bill, say: their ids are bound one by one. */
export function entriesOfLines(
  sql: Sql,
  account: OutsideAccount,
  lineIds: readonly string[],
): Promise<KeptBillLine[]> {
  return sql.database
    .select()
    .from(billLines)
    .where(and(ofAccount(billLines, account), inArray(billLines.lineId, [...lineIds])))
    .orderBy(asc(billLines.lineId), asc(billLines.sequence));
}

/** What an org has waiting for its next bill; below 0 it is owed. */
export interface Waiting {
  readonly orgId: string;
  readonly currency: string;
  readonly amountMinor: bigint;
}

export function listWaiting(
  sql: Sql,
  account: OutsideAccount,
  {
    after,
    limit,
  }: { readonly after: readonly [orgId: string, currency: string] | null; readonly limit: number },
): Promise<Waiting[]> {
  const amountMinor = sqlText`sum(${carryMovements.amountMinor})`.mapWith(BigInt);
  return sql.database
    .select({ orgId: carryMovements.orgId, currency: carryMovements.currency, amountMinor })
    .from(carryMovements)
    .where(
      and(
        ofAccount(carryMovements, account),
        after === null
          ? undefined
          : or(
              gt(carryMovements.orgId, after[0]),
              and(eq(carryMovements.orgId, after[0]), gt(carryMovements.currency, after[1])),
            ),
      ),
    )
    .groupBy(carryMovements.orgId, carryMovements.currency)
    .having(sqlText`sum(${carryMovements.amountMinor}) <> 0`)
    .orderBy(asc(carryMovements.orgId), asc(carryMovements.currency))
    .limit(limit);
}
