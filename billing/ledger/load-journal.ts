import { and, asc, eq, gt, inArray, like, lte, notExists, or, sql as sqlText } from 'drizzle-orm';
import { compareText } from '../../core/compare.js';
import type { Instant, Period } from '../../core/time.js';
import type { OutsideAccount } from '../../platform/outbound/intent.js';
import { billLines, bills, carryMovements } from '../../platform/sql/billing-schema.js';
import type { Sql } from '../../platform/sql/sql.js';
import { stripeInvoices } from '../../platform/sql/stripe-schema.js';
import type { KeptBill } from '../overage-run/bill-store.js';
import { ofAccount } from '../../platform/sql/of-account.js';
import { withdrawalIdOf } from '../overage-run/withdraw-bill.js';
import { enteredEntry, invoiceEntries, type Entered, type JournalEntry, type Settlement } from './journal.js';
import { sha256 } from '../../platform/sha256.js';

export interface JournalRequest {
  /** First day of the month in which the billed periods ended, and its time in the catalog's zone. */
  readonly month: string;
  readonly ending: Period;
  readonly orgId: string | undefined;
}

/** An invoice of which the journal and Stripe say different things. */
export interface JournalDifference {
  readonly billId: string;
  readonly invoiceId: string;
  readonly orgId: string;
  readonly currency: string;
  readonly journalMinor: bigint;
  readonly stripeMinor: bigint;
}

export interface Journal {
  /** By when they happened. */
  readonly entries: readonly JournalEntry[];
  /** What is open by the journal and not by Stripe's last word: told since the run, or settled by what is no event. */
  readonly differences: readonly JournalDifference[];
}

/** All that the bills of a month and what waited of it come to, whenever it happened. */
export async function loadJournal(
  sql: Sql,
  account: OutsideAccount,
  request: JournalRequest,
  settlementsOf: (currencies: ReadonlyMap<string, string>) => Promise<ReadonlyMap<string, Settlement[]>>,
): Promise<Journal> {
  const kept = await billsOf(sql, account, request);
  const entered = await enteredOf(
    sql,
    account,
    request,
    kept.map(({ bill }) => bill),
  );
  const ids = { ...account, sha256 };
  const notes = ownNotes(
    kept.map(({ bill }) => bill),
    new Map(
      entered.flatMap(({ isWithdrawal, bill, at }) => (isWithdrawal && bill ? [[bill.billId, at]] : [])),
    ),
  );
  const issued = kept.flatMap(({ bill, invoice }) =>
    bill.invoiceId === null || bill.finalizedAt === null || bill.creditsBillId !== null
      ? []
      : [{ bill, invoice, invoiceId: bill.invoiceId, finalizedAt: bill.finalizedAt }],
  );
  const settlements = await settlementsOf(
    new Map(issued.map(({ invoiceId, bill }) => [invoiceId, bill.currency])),
  );
  const entries = entered.map((one) => enteredEntry(one, ids)).filter((entry) => entry !== null);
  const differences: JournalDifference[] = [];
  for (const { bill, invoice, invoiceId, finalizedAt } of issued) {
    const { billId, orgId, currency, month, totalMinor } = bill;
    const about = { billId, invoiceId, orgId, currency };
    const own = notes.get(invoiceId) ?? new Map<string, Settlement>();
    // Our own notes are known from when they were made, whether the run has heard of them or not.
    const others = (settlements.get(invoiceId) ?? []).filter(
      ({ type, key }) => type !== 'credit_note.issued' || !own.has(key),
    );
    const told = { month, totalMinor, finalizedAt, settlements: [...others, ...own.values()] };
    const { entries: ofInvoice, openMinor } = invoiceEntries({ ...about, ...told }, ids);
    entries.push(...ofInvoice);
    const stripeMinor = invoice?.status === 'open' ? invoice.remainingMinor : 0n;
    if (invoice !== null && stripeMinor !== openMinor) {
      differences.push({ ...about, journalMinor: openMinor, stripeMinor });
    }
  }
  return { entries: entries.sort(inTime), differences };
}

/**
 * Credit notes that the overage run made, by invoice and by their own id. One that was withdrawn, since somebody voided it, is
 * taken back when it was; not where its invoice was voided, which the note is then void with.
 */
function ownNotes(
  kept: readonly KeptBill[],
  withdrawnAt: ReadonlyMap<string, Instant>,
): Map<string, Map<string, Settlement>> {
  const notes = new Map<string, Map<string, Settlement>>();
  for (const { billId, creditsBillId, invoiceId, creditNoteId, finalizedAt, totalMinor } of kept) {
    if (invoiceId === null || creditNoteId === null || finalizedAt === null) continue;
    const note = { type: 'credit_note.issued', isWon: false, isOurs: true } as const;
    const known = notes.get(invoiceId) ?? new Map<string, Settlement>();
    known.set(creditNoteId, { ...note, key: creditNoteId, at: finalizedAt, amountMinor: -totalMinor });
    const at = withdrawnAt.get(billId);
    if (at !== undefined && !withdrawnAt.has(creditsBillId ?? '')) {
      const key = `${creditNoteId} withdrawn`;
      known.set(key, { ...note, key, at, amountMinor: totalMinor });
    }
    notes.set(invoiceId, known);
  }
  return notes;
}

function inTime(a: JournalEntry, b: JournalEntry): number {
  return a.at === b.at ? compareText(a.entryId, b.entryId) : a.at < b.at ? -1 : 1;
}

function billsOf(sql: Sql, account: OutsideAccount, { month, orgId }: JournalRequest) {
  const isMirrored = and(ofAccount(stripeInvoices, account), eq(stripeInvoices.invoiceId, bills.invoiceId));
  return sql.database
    .select({ bill: bills, invoice: stripeInvoices })
    .from(bills)
    .leftJoin(stripeInvoices, isMirrored)
    .where(and(...conditions(bills, account, orgId), eq(bills.month, month)))
    .orderBy(asc(bills.billId));
}

/** What was entered with the bills given, without a bill, and taken back. */
async function enteredOf(
  sql: Sql,
  account: OutsideAccount,
  request: JournalRequest,
  kept: readonly KeptBill[],
): Promise<Entered[]> {
  const waits = new Map((await movementsOf(sql, account, request)).map((row) => [row.causeId, row]));
  const byId = new Map(kept.map((bill) => [bill.billId, bill]));
  const byWithdrawal = new Map(kept.map((bill) => [withdrawalIdOf(bill.billId), bill]));
  const causes = new Map<string, Entered>();
  for (const row of await linesOf(sql, account, request, [...byWithdrawal.keys()])) {
    const { causeId, orgId, currency, kind, meterId, amountMinor } = row;
    const withdrawn = byWithdrawal.get(causeId);
    const bill = byId.get(causeId) ?? withdrawn ?? null;
    const billedMinor = withdrawn !== undefined ? -withdrawn.totalMinor : (bill?.totalMinor ?? 0n);
    const known: Entered = causes.get(causeId) ?? {
      ...{ causeId, orgId, currency, month: request.month, at: row.at, bill, billedMinor, lines: [] },
      isWithdrawal: withdrawn !== undefined,
      waitedMinor: waits.get(causeId)?.waitedMinor ?? 0n,
      movementMinor: waits.get(causeId)?.amountMinor ?? 0n,
    };
    causes.set(causeId, { ...known, lines: [...known.lines, { kind, meterId, amountMinor }] });
  }
  return [...causes.values()];
}

/** With what waited before each: all movements of an org and currency, of whatever month, make that up. */
function movementsOf(sql: Sql, account: OutsideAccount, { month, orgId }: JournalRequest) {
  const { causeId, amountMinor } = carryMovements;
  const waited = sqlText`sum(${amountMinor}) over (partition by ${carryMovements.orgId}, ${carryMovements.currency}
    order by ${carryMovements.createdAt}, ${causeId}) - ${amountMinor}`;
  const all = sql.database
    .select({
      causeId,
      amountMinor,
      month: carryMovements.month,
      waitedMinor: waited.mapWith(BigInt).as('waited_minor'),
    })
    .from(carryMovements)
    .where(and(...conditions(carryMovements, account, orgId)))
    .as('all_movements');
  return sql.database.select().from(all).where(eq(all.month, month));
}

interface EnteredLine {
  readonly causeId: string;
  readonly orgId: string;
  readonly currency: string;
  readonly kind: Entered['lines'][number]['kind'];
  readonly meterId: string;
  readonly amountMinor: bigint;
  readonly at: Instant;
}

function linesOf(
  sql: Sql,
  account: OutsideAccount,
  { month, ending, orgId }: JournalRequest,
  withdrawalIds: readonly string[],
): Promise<EnteredLine[]> {
  const { database } = sql;
  const { causeId, currency, kind, meterId, periodEnd } = billLines;
  const billIds = database
    .select({ causeId: bills.billId })
    .from(bills)
    .where(and(ofAccount(bills, account), eq(bills.month, month)));
  const moved = database
    .select({ causeId: carryMovements.causeId })
    .from(carryMovements)
    .where(and(ofAccount(carryMovements, account), eq(carryMovements.month, month)));
  const everMoved = database.select().from(carryMovements).where(eq(carryMovements.causeId, causeId));
  // Without a bill, and nothing waits of it: corrections that come to 0 together.
  const cameToNothing = and(
    like(causeId, 'car\\_%'),
    gt(periodEnd, ending.start),
    lte(periodEnd, ending.end),
    notExists(everMoved),
  );
  return database
    .select({
      ...{ causeId, orgId: billLines.orgId, currency, kind, meterId },
      amountMinor: sqlText`sum(${billLines.amountMinor})`.mapWith(BigInt),
      at: sqlText`min(${billLines.createdAt})`.mapWith(billLines.createdAt),
    })
    .from(billLines)
    .where(
      and(
        ...conditions(billLines, account, orgId),
        or(
          inArray(causeId, billIds),
          inArray(causeId, moved),
          withdrawalIds.length === 0 ? undefined : sqlText`${causeId} = any(${sqlText.param(withdrawalIds)})`,
          cameToNothing,
        ),
      ),
    )
    .groupBy(causeId, billLines.orgId, currency, kind, meterId)
    .orderBy(asc(causeId), asc(kind), asc(meterId));
}

function conditions(
  table: typeof bills | typeof billLines | typeof carryMovements,
  account: OutsideAccount,
  orgId: string | undefined,
) {
  return [ofAccount(table, account), orgId === undefined ? undefined : eq(table.orgId, orgId)];
}
