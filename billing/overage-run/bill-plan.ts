import { compareText } from '../../core/compare.js';
import { derivedId } from '../../core/ids.js';
import type { Money } from '../../core/money.js';
import { chargeable, isChargeable } from '../../platform/outbound/stripe/stripe-amounts.js';
import { approvalReason, NOTHING_BILLED } from './approval.js';
import {
  orgCurrency,
  type BillBooks,
  type CreditableInvoice,
  type HeldBack,
  type Payer,
} from './bill-books.js';
import { lineChanges, type LineChange } from './line-changes.js';
import { planCredits, type Credit, type Homes } from './plan-credits.js';

/** One entry of the ledger: what a rated line is worth more, or less, than was billed of it. */
export interface BillLine extends Omit<LineChange, 'currency'> {
  /** The part of it that is an item of the invoice; what can't be charged is carried. A credit note has no items. */
  readonly chargedMinor: bigint;
}

/** One invoice, or one credit note on an invoice. */
export interface Bill {
  readonly billId: string;
  readonly orgId: string;
  readonly currency: string;
  /** Of its org, currency and month. */
  readonly sequence: number;
  readonly payer: Payer;
  /** Null: it is an invoice. Else the final invoice that it takes something off. */
  readonly credits: Pick<CreditableInvoice, 'billId' | 'invoiceId' | 'isPaid' | 'leftMinor'> | null;
  readonly lines: readonly BillLine[];
  /** What earlier months, and the parts of its lines that could not be charged, come to on it: one item of its own; 0 is none. */
  readonly carriedItemMinor: bigint;
  /** Below 0 on a credit note. */
  readonly totalMinor: bigint;
  /** Why somebody must approve it first; null: it goes by itself. */
  readonly approvalReason: string | null;
}

/** Lines that are entered without a bill: their money waits for the next one. */
export interface Carried {
  readonly carriedId: string;
  readonly orgId: string;
  readonly currency: string;
  readonly lines: readonly BillLine[];
  readonly reason: 'under_minimum' | 'credit';
}

/** By how much what an org has waiting changes. */
export interface CarryMovement {
  readonly orgId: string;
  readonly currency: string;
  readonly amountMinor: bigint;
  /** The bill or the carried lines that it comes with. */
  readonly causeId: string;
}

export interface BillPlan {
  readonly bills: readonly Bill[];
  readonly carried: readonly Carried[];
  readonly movements: readonly CarryMovement[];
  readonly heldBack: readonly HeldBack[];
}

/** Stripe takes 250 items on an invoice; one place is the carried amount's. */
const MAX_LINES = 249;

/**
 * Which invoices and credit notes bring what was billed to what was rated. Pure: the same books give the same plan. Per org and
 * currency, what is billed, credited and waits add up to what was rated: Σ bills + Σ movements = Σ rated − Σ entered before.
 *
 * @param homes the final invoices of lines that are worth less than was billed of them; what has none is no credit note's
 */
export function planBills(books: BillBooks, homes: Homes = new Map()): BillPlan {
  const { changes, heldBack } = lineChanges(books);
  const byPayer = new Map<string, PayerDue & { readonly changes: LineChange[] }>();
  for (const change of changes) {
    const { currency, rated } = change;
    const key = orgCurrency(rated.orgId, currency);
    const known = byPayer.get(key) ?? { orgId: rated.orgId, currency, changes: [] };
    known.changes.push(change);
    byPayer.set(key, known);
  }
  const parts = [...byPayer]
    .sort(([a], [b]) => compareText(a, b))
    .map(([key, due]) => planOrg(key, due, books, homes));
  return {
    bills: parts.flatMap(({ bills }) => bills),
    carried: parts.flatMap(({ carried }) => carried),
    movements: parts.flatMap(({ movements }) => movements),
    heldBack: [...heldBack, ...parts.flatMap((part) => part.heldBack)],
  };
}

interface PayerDue {
  readonly orgId: string;
  readonly currency: string;
  readonly changes: readonly LineChange[];
}

function planOrg(key: string, due: PayerDue, books: BillBooks, homes: Homes): BillPlan {
  const { lateUsage, billCounts, payers } = books;
  const payerId = payers.get(due.orgId)?.customerId;
  const { credits, rest } = planCredits(due.changes, due.currency, { homes, lateUsage, payerId });
  // Of all notes together: an amount that needs approval needs it on several notes too.
  const creditMinor = sumOf(credits, (credit) => credit.creditMinor);
  const reason = approvalReason(
    { amountMinor: creditMinor, currency: due.currency },
    NOTHING_BILLED,
    books.approval,
  );
  const before = billCounts.get(key) ?? 0;
  const notes = credits.map((credit, index) => creditNote(credit, before + 1 + index, due, books, reason));
  const invoices = planInvoices(key, { ...due, changes: rest }, before + notes.length, books);
  return {
    ...invoices,
    bills: [...notes.map(({ bill }) => bill), ...invoices.bills],
    movements: [...notes.flatMap(({ movement }) => movement ?? []), ...invoices.movements],
  };
}

/** What can't be credited of its lines (the last digit of a dinar) waits. */
function creditNote(
  { invoice, changes, creditMinor }: Credit,
  sequence: number,
  { orgId, currency }: PayerDue,
  books: BillBooks,
  reason: string | null,
): { readonly bill: Bill; readonly movement: CarryMovement | null } {
  const billId = billIdOf(orgId, currency, sequence, books);
  const enteredMinor = sumOf(changes, ({ amountMinor }) => amountMinor);
  const waitsMinor = enteredMinor + creditMinor;
  const bill: Bill = {
    ...{ billId, orgId, currency, sequence, credits: invoice },
    payer: { customerId: invoice.customerId, currency, collection: { method: 'charge_automatically' } },
    lines: changes.map((change) => ({ ...change, chargedMinor: 0n })),
    carriedItemMinor: 0n,
    totalMinor: -creditMinor,
    approvalReason: reason,
  };
  return {
    bill,
    movement: waitsMinor === 0n ? null : { orgId, currency, amountMinor: waitsMinor, causeId: billId },
  };
}

function planInvoices(
  key: string,
  { orgId, currency, changes }: PayerDue,
  sequenceBefore: number,
  books: BillBooks,
): BillPlan {
  const plan = {
    bills: new Array<Bill>(),
    carried: new Array<Carried>(),
    movements: new Array<CarryMovement>(),
  };
  if (changes.length === 0) return { ...plan, heldBack: [] };
  const waitingMinor = books.carriedMinor.get(key) ?? 0n;
  const totalMinor = changes.reduce((sum, { amountMinor }) => sum + amountMinor, waitingMinor);
  const payer = payerOf(orgId, { amountMinor: totalMinor, currency }, books);
  if ('cause' in payer) return { ...plan, heldBack: [payer] };
  // What one part leaves, the next one takes up: credits may stand on another part than what they pay.
  let leftMinor = waitingMinor;
  for (let start = 0; start < changes.length; start += MAX_LINES) {
    const part = partOf(changes.slice(start, start + MAX_LINES), currency, leftMinor);
    leftMinor += part.movementMinor;
    const sequence = sequenceBefore + 1 + plan.bills.length;
    const causeId = part.isBilled
      ? billIdOf(orgId, currency, sequence, books)
      : idOf(
          'car',
          part.lines.map(({ rated, sequence: entry }) => `${rated.lineId} ${entry}`),
          books,
        );
    if (part.isBilled) {
      const { lines: onIt, carriedItemMinor, totalMinor: billMinor } = part;
      const bill = { billId: causeId, orgId, currency, sequence, payer, lines: onIt, carriedItemMinor };
      plan.bills.push({ ...bill, totalMinor: billMinor, credits: null, approvalReason: null });
    } else {
      const reason = part.totalMinor < 0n ? 'credit' : 'under_minimum';
      plan.carried.push({ carriedId: causeId, orgId, currency, lines: part.lines, reason });
    }
    const { movementMinor: amountMinor } = part;
    if (amountMinor !== 0n) plan.movements.push({ orgId, currency, amountMinor, causeId });
  }
  // Of all parts together: an amount that needs approval needs it on several invoices too.
  const billedMinor = sumOf(plan.bills, (bill) => bill.totalMinor);
  const billed = books.billedMinor.get(key) ?? NOTHING_BILLED;
  const reason = approvalReason({ amountMinor: billedMinor, currency }, billed, books.approval);
  const bills = plan.bills.map((bill) => ({ ...bill, approvalReason: reason }));
  return { ...plan, bills, heldBack: [] };
}

function billIdOf(orgId: string, currency: string, sequence: number, books: BillBooks): string {
  return idOf('bill', [orgId, currency, books.month, String(sequence)], books);
}

/** What one invoice can hold of an org's lines, and whether it is one: it must be worth more than the least that can be charged. */
function partOf(due: readonly LineChange[], currency: string, waitingMinor: bigint) {
  const { unitMinor, leastMinor } = chargeable(currency);
  const whole = (amountMinor: bigint): bigint => amountMinor - (amountMinor % unitMinor);
  const lines = due.map((line) => ({ ...line, chargedMinor: whole(line.amountMinor) }));
  const enteredMinor = sumOf(lines, ({ amountMinor }) => amountMinor);
  const chargedMinor = sumOf(lines, (line) => line.chargedMinor);
  // Parts that can't be charged alone may be together, and with what waits. What can't be is the customer's to pay later, never to get back.
  const restMinor = waitingMinor + enteredMinor - chargedMinor;
  const carriedItemMinor = restMinor < 0n ? whole(restMinor - unitMinor + 1n) : whole(restMinor);
  const totalMinor = chargedMinor + carriedItemMinor;
  if (totalMinor > 0n && totalMinor >= leastMinor) {
    return {
      isBilled: true,
      lines,
      carriedItemMinor,
      totalMinor,
      movementMinor: enteredMinor - totalMinor,
    } as const;
  }
  const uncharged = lines.map((line) => ({ ...line, chargedMinor: 0n }));
  return { isBilled: false, lines: uncharged, totalMinor, movementMinor: enteredMinor } as const;
}

function sumOf<One>(all: readonly One[], of: (one: One) => bigint): bigint {
  return all.reduce((sum, one) => sum + of(one), 0n);
}

function idOf(prefix: string, parts: readonly string[], { account, sha256 }: BillBooks): string {
  return derivedId(prefix, [account.account, account.mode, ...parts], sha256);
}

function payerOf(orgId: string, money: Money, { payers }: BillBooks): Payer | HeldBack {
  const held = (cause: HeldBack['cause'], message: string): HeldBack => ({ orgId, money, cause, message });
  const { currency, amountMinor } = money;
  if (!isChargeable(currency)) {
    return held('currency_unsupported', `Stripe does not charge in ${currency}; bill ${orgId} another way`);
  }
  const payer = payers.get(orgId);
  if (payer === undefined) {
    return held(
      'no_customer',
      `${orgId} has no Stripe customer; link one: headgate billing link ${orgId} cus_…`,
    );
  }
  if (payer.currency !== null && payer.currency !== currency) {
    return held(
      'customer_currency',
      `${payer.customerId} of ${orgId} is billed in ${payer.currency} and this is in ${currency}; link a customer of that currency`,
    );
  }
  if (amountMinor > chargeable(currency).mostMinor) {
    return held('amount_too_large', `${orgId} owes more than Stripe takes in one invoice; split it by hand`);
  }
  return payer;
}
