import { and, asc, desc, eq, gt, inArray, isNull, lt, ne, or, sql as sqlText, type SQL } from 'drizzle-orm';
import { z } from 'zod';
import { formatInstant, type Instant } from '../../core/time.js';
import type { OutsideAccount } from '../../platform/outbound/intent.js';
import { billBreaks, billLines, bills } from '../../platform/sql/billing-schema.js';
import type { Sql } from '../../platform/sql/sql.js';
import { stripeInvoices } from '../../platform/sql/stripe-schema.js';
import type { KeptBill, KeptBillLine } from '../overage-run/bill-store.js';
import { ofAccount } from '../../platform/sql/of-account.js';
import { ageOf, AGES, daysPastDue, dueWithin, type Age } from './aging.js';

/** `unknown`: it is final, and Stripe has not told us yet what became of it. `none`: it is no invoice yet, or a credit note. */
export const PAYMENTS = ['none', 'unknown', 'open', 'paid', 'uncollectible', 'void'] as const;
export const RECONCILIATIONS = ['matched', 'broken', 'not_checked'] as const;

/** A bill as finance sees it: what it is made of, and what became of it at Stripe. */
export interface LedgerInvoice {
  readonly bill: KeptBill;
  /** What was entered with it, by kind; Σ + `carryMinor` = the bill's total. */
  readonly entered: readonly { readonly kind: KeptBillLine['kind']; readonly amountMinor: bigint }[];
  /** What earlier months had left, less what it leaves to the next. */
  readonly carryMinor: bigint;
  readonly payment: (typeof PAYMENTS)[number];
  readonly paidMinor: bigint;
  /** What is still to be paid. */
  readonly unpaidMinor: bigint;
  readonly dueAt: Instant | null;
  readonly paidAt: Instant | null;
  readonly daysPastDue: number;
  readonly age: Age;
  readonly failingSince: Instant | null;
  readonly dispute: (typeof stripeInvoices.$inferSelect)['dispute'];
  readonly reconciliation: (typeof RECONCILIATIONS)[number];
}

export interface LedgerFilter {
  readonly month?: string | undefined;
  readonly orgId?: string | undefined;
  readonly isUnpaid?: boolean | undefined;
}

/** An invoice's place in the list. */
export type LedgerPlace = readonly [month: string, orgId: string, billId: string];

/** What the invoices of one currency come to; of those that were withdrawn, only what is still paid or unpaid. */
export interface LedgerSummary {
  readonly currency: string;
  readonly invoices: number;
  readonly totalMinor: bigint;
  readonly paidMinor: bigint;
  readonly unpaidMinor: bigint;
  readonly unpaidByAge: ReadonlyMap<Age, bigint>;
}

/** Where nobody told us what became of a final invoice, it is taken for unpaid. */
const unpaidMinor = sqlText`case
  when ${stripeInvoices.status} = 'open' then ${stripeInvoices.remainingMinor}
  when ${stripeInvoices.invoiceId} is null and ${bills.state} = 'finalized' and ${bills.creditsBillId} is null
    then ${bills.totalMinor} + coalesce((select sum(note.total_minor) from ${bills} note
      where note.credits_bill_id = ${bills.billId} and note.state = 'finalized'), 0)
  else 0 end`;

/** What is charged at once is due when it is final. */
const dueAt = sqlText`coalesce(${stripeInvoices.dueAt}, ${stripeInvoices.finalizedAt}, ${bills.finalizedAt})`;

const PAGE_ROWS = 1_000;

/** All that the filter finds, in the order of the list. */
export async function allLedgerInvoices(
  sql: Sql,
  account: OutsideAccount,
  filter: LedgerFilter,
  asOf: Instant,
): Promise<LedgerInvoice[]> {
  const all: LedgerInvoice[] = [];
  let after: LedgerPlace | null = null;
  for (;;) {
    const page: LedgerInvoice[] = await listLedgerInvoices(sql, account, filter, {
      after,
      limit: PAGE_ROWS,
      asOf,
    });
    all.push(...page);
    const last = page.at(-1)?.bill;
    if (page.length < PAGE_ROWS || last === undefined) return all;
    after = [last.month, last.orgId, last.billId];
  }
}

/** A credit note has nothing to be paid: its invoice has less. */
const isMirrored = and(
  isNull(bills.creditsBillId),
  eq(stripeInvoices.account, bills.account),
  eq(stripeInvoices.mode, bills.mode),
  eq(stripeInvoices.invoiceId, bills.invoiceId),
);

/** The newest month first, then by org. */
export async function listLedgerInvoices(
  sql: Sql,
  account: OutsideAccount,
  filter: LedgerFilter,
  page: { readonly after: LedgerPlace | null; readonly limit: number; readonly asOf: Instant },
): Promise<LedgerInvoice[]> {
  const found = await sql.database
    .select({
      bill: bills,
      invoice: stripeInvoices,
      unpaidMinor: unpaidMinor.mapWith(BigInt),
      dueAt: dueAt.mapWith(stripeInvoices.dueAt),
      isBroken: sqlText<boolean>`exists (select 1 from ${billBreaks}
        where ${billBreaks.billId} = ${bills.billId} and ${billBreaks.closedAt} is null)`,
    })
    .from(bills)
    .leftJoin(stripeInvoices, isMirrored)
    .where(and(conditionOf(account, filter), page.after === null ? undefined : isAfter(page.after)))
    .orderBy(desc(bills.month), asc(bills.orgId), asc(bills.billId))
    .limit(page.limit);
  const entered = await enteredWith(
    sql,
    found.map(({ bill }) => bill.billId),
  );
  return found.map(({ bill, invoice, ...row }) => {
    const kinds = entered.get(bill.billId) ?? [];
    // What can be unpaid was made final once, and is due since then at the latest.
    const days = row.unpaidMinor > 0n ? daysPastDue(row.dueAt, page.asOf) : 0;
    return {
      bill,
      entered: kinds,
      carryMinor: kinds.reduce((rest, { amountMinor }) => rest - amountMinor, bill.totalMinor),
      payment: invoice?.status ?? (isFinalInvoice(bill) ? 'unknown' : 'none'),
      paidMinor: invoice?.paidMinor ?? 0n,
      unpaidMinor: row.unpaidMinor,
      dueAt: row.dueAt,
      paidAt: invoice?.paidAt ?? null,
      daysPastDue: days,
      age: ageOf(days),
      failingSince: invoice?.failingSince ?? null,
      dispute: invoice?.dispute ?? 'none',
      reconciliation: reconciliationOf(bill, row.isBroken),
    };
  });
}

function isFinalInvoice({ state, creditsBillId }: KeptBill): boolean {
  return state === 'finalized' && creditsBillId === null;
}

/** Nothing is made final that is not what was rated: what is final was looked at, and every later look that differs is a break. */
function reconciliationOf({ state }: KeptBill, isBroken: boolean): LedgerInvoice['reconciliation'] {
  if (isBroken || state === 'blocked') return 'broken';
  return state === 'finalized' ? 'matched' : 'not_checked';
}

async function enteredWith(
  sql: Sql,
  billIds: readonly string[],
): Promise<Map<string, LedgerInvoice['entered'][number][]>> {
  if (billIds.length === 0) return new Map();
  const { causeId, kind } = billLines;
  const rows = await sql.database
    .select({ causeId, kind, amountMinor: sqlText`sum(${billLines.amountMinor})`.mapWith(BigInt) })
    .from(billLines)
    .where(inArray(causeId, [...billIds]))
    .groupBy(causeId, kind)
    .orderBy(asc(kind));
  const byBill = new Map<string, LedgerInvoice['entered'][number][]>();
  for (const { causeId: billId, ...one } of rows) byBill.set(billId, [...(byBill.get(billId) ?? []), one]);
  return byBill;
}

/** Over all that the filter finds, whatever the page; by currency. */
export async function summarizeLedger(
  sql: Sql,
  account: OutsideAccount,
  filter: LedgerFilter,
  asOf: Instant,
): Promise<LedgerSummary[]> {
  const sum = (amount: SQL, condition: SQL = sqlText`true`) =>
    sqlText`coalesce(sum(${amount}) filter (where ${condition}), 0)`.mapWith(BigInt);
  const stands = ne(bills.state, 'withdrawn');
  const isInvoice = sqlText`${stands} and ${bills.creditsBillId} is null`;
  const byAge = Object.fromEntries(AGES.map((age) => [age, sum(unpaidMinor, isOfAge(age, asOf))]));
  const rows = await sql.database
    .select({
      currency: bills.currency,
      invoices: sqlText`count(*) filter (where ${isInvoice})`.mapWith(Number),
      totalMinor: sum(sqlText`${bills.totalMinor}`, stands),
      paidMinor: sum(sqlText`coalesce(${stripeInvoices.paidMinor}, 0)`),
      unpaidMinor: sum(unpaidMinor),
      ...byAge,
    })
    .from(bills)
    .leftJoin(stripeInvoices, isMirrored)
    .where(conditionOf(account, filter))
    .groupBy(bills.currency)
    .orderBy(asc(bills.currency));
  return rows.map(({ currency, invoices, totalMinor, paidMinor, unpaidMinor: unpaid, ...ages }) => ({
    ...{ currency, invoices, totalMinor, paidMinor, unpaidMinor: unpaid },
    unpaidByAge: unpaidByAgeOf(ages),
  }));
}

const Ages = z.record(z.enum(AGES), z.bigint());

function unpaidByAgeOf(columns: unknown): Map<Age, bigint> {
  const ages = Ages.parse(columns);
  return new Map(AGES.map((age) => [age, ages[age]]));
}

function isOfAge(age: Age, asOf: Instant): SQL {
  const { after, until } = dueWithin(age, asOf);
  const text = (instant: Instant): SQL => sqlText`${formatInstant(instant)}::timestamptz`;
  const isLater = after === null ? sqlText`true` : sqlText`${dueAt} > ${text(after)}`;
  return until === null ? isLater : sqlText`${isLater} and ${dueAt} <= ${text(until)}`;
}

function conditionOf(account: OutsideAccount, { month, orgId, isUnpaid }: LedgerFilter): SQL | undefined {
  return and(
    ofAccount(bills, account),
    month === undefined ? undefined : eq(bills.month, month),
    orgId === undefined ? undefined : eq(bills.orgId, orgId),
    isUnpaid === true ? gt(unpaidMinor, 0) : undefined,
  );
}

/** True of bills after a place in the order of the lists here. */
export function isAfter([month, orgId, billId]: LedgerPlace): SQL | undefined {
  return or(
    lt(bills.month, month),
    and(eq(bills.month, month), gt(bills.orgId, orgId)),
    and(eq(bills.month, month), eq(bills.orgId, orgId), gt(bills.billId, billId)),
  );
}
