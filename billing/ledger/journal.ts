import { compareText } from '../../core/compare.js';
import { invariant } from '../../core/errors.js';
import { derivedId } from '../../core/ids.js';
import type { HashHex } from '../../core/identity.js';
import type { Instant } from '../../core/time.js';
import type { OutsideAccount } from '../../platform/outbound/intent.js';
import type { KeptBillLine } from '../overage-run/bill-store.js';
import type { AccountKey } from './accounts.js';

type LineKind = KeptBillLine['kind'];

export const ENTRY_KINDS = [
  'usage',
  'withdrawal',
  'invoice',
  'payment',
  'refund',
  'credit_note',
  'void',
  'write_off',
  'dispute',
  'dispute_closed',
] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

export interface JournalLine {
  readonly account: AccountKey;
  /** '' where it is of no single meter. */
  readonly meterId: string;
  /** Debits are above 0, credits below. */
  readonly amountMinor: bigint;
}

export interface JournalEntry {
  /** Derived from what it books: exported again it is the same, so whoever imports it knows that he has it. */
  readonly entryId: string;
  readonly kind: EntryKind;
  /** When it happened. */
  readonly at: Instant;
  /** First day of the month in which the billed periods ended. */
  readonly month: string;
  readonly orgId: string;
  readonly currency: string;
  readonly billId: string | null;
  readonly invoiceId: string | null;
  /** In one currency; they add up to 0. */
  readonly lines: readonly JournalLine[];
}

/** What was entered into the ledger at once: with a bill, without one (it waits), or taken back with one. */
export interface Entered {
  readonly causeId: string;
  readonly at: Instant;
  readonly month: string;
  readonly orgId: string;
  readonly currency: string;
  readonly bill: { readonly billId: string; readonly invoiceId: string | null } | null;
  readonly isWithdrawal: boolean;
  /** What goes on an invoice of it; below 0 it is taken back, 0 where there is none. */
  readonly billedMinor: bigint;
  readonly lines: readonly {
    readonly kind: LineKind;
    readonly meterId: string;
    readonly amountMinor: bigint;
  }[];
  /** What waited for the org's next bill before, below 0 owed to it; and by how much that changed. */
  readonly waitedMinor: bigint;
  readonly movementMinor: bigint;
}

/** In the order in which they count at one instant: money comes before what ends an invoice. */
export const SETTLEMENT_TYPES = [
  'invoice.paid',
  'credit_note.issued',
  'invoice.refunded',
  'invoice.voided',
  'invoice.uncollectible',
  'dispute.opened',
  'dispute.closed',
] as const;

/** What became of an invoice, as the events of billing tell it. */
export interface Settlement {
  readonly type: (typeof SETTLEMENT_TYPES)[number];
  /** Of the payment, the refund, the note, the dispute; '' of what happens once. Told twice under one key it happened once. */
  readonly key: string;
  readonly at: Instant;
  /** Null: all that is open. */
  readonly amountMinor: bigint | null;
  readonly isWon: boolean;
  /** A note that corrects usage: the ledger has taken that usage back already. */
  readonly isOurs?: boolean;
}

export interface IssuedInvoice {
  readonly billId: string;
  readonly invoiceId: string;
  readonly orgId: string;
  readonly currency: string;
  readonly month: string;
  readonly totalMinor: bigint;
  readonly finalizedAt: Instant;
  readonly settlements: readonly Settlement[];
}

export interface JournalIds extends OutsideAccount {
  readonly sha256: HashHex;
}

const ACCOUNT_OF: Readonly<Record<LineKind, AccountKey>> = {
  usage: 'usage_revenue',
  commitment: 'commitment_revenue',
  cap: 'discounts',
  coupon: 'discounts',
  // What was paid for before it was used is revenue once it is used.
  quantity_credit: 'prepaid',
  credit: 'prepaid',
};

/**
 * Usage is revenue from when it was entered. It is accrued until it is invoiced, or owed to the customer where it comes to less
 * than nothing.
 */
export function enteredEntry(entered: Entered, ids: JournalIds): JournalEntry | null {
  const { causeId, at, month, orgId, currency, bill, lines, billedMinor, waitedMinor, movementMinor } =
    entered;
  const waitsMinor = waitedMinor + movementMinor;
  const kind = entered.isWithdrawal ? 'withdrawal' : 'usage';
  const booked = [
    line('accrued', billedMinor + above(waitsMinor) - above(waitedMinor)),
    line('customer_credits', below(waitsMinor) - below(waitedMinor)),
    ...lines.map(({ kind: of, meterId, amountMinor }) => line(ACCOUNT_OF[of], -amountMinor, meterId)),
  ];
  return entryOf(
    { kind, at, month, orgId, currency, billId: bill?.billId ?? null, invoiceId: bill?.invoiceId ?? null },
    booked,
    causeId,
    ids,
  );
}

/** How much of an invoice is still to be paid, and how much was given up. */
interface Standing {
  readonly openMinor: bigint;
  readonly lostMinor: bigint;
}

interface Booked extends Standing {
  readonly kind: EntryKind;
  readonly lines: readonly JournalLine[];
}

type Book = (standing: Standing, amountMinor: bigint, settlement: Settlement) => Booked;

const BOOKS: Readonly<Record<Settlement['type'], Book>> = {
  'invoice.paid': ({ openMinor, lostMinor }, amount) => {
    const toOpen = least(amount, openMinor);
    // Paid after all: what was given up comes back. What is paid beyond is the customer's.
    const recovered = least(amount - toOpen, lostMinor);
    return {
      kind: 'payment',
      lines: [
        line('cash', amount),
        line('receivable', -toOpen),
        line('write_offs', -recovered),
        line('customer_credits', toOpen + recovered - amount),
      ],
      openMinor: openMinor - toOpen,
      lostMinor: lostMinor - recovered,
    };
  },
  'credit_note.issued': ({ openMinor, lostMinor }, amount, { isOurs }) => {
    const credited = least(amount, openMinor);
    const lines =
      isOurs === true
        ? // What is paid already is owed to the customer: it goes to his balance.
          [
            line('accrued', amount),
            line('receivable', -credited),
            line('customer_credits', credited - amount),
          ]
        : // On what is paid already, the note alone moves nothing: its refund does.
          [line('credit_notes', credited), line('receivable', -credited)];
    return { kind: 'credit_note', lines, openMinor: openMinor - credited, lostMinor };
  },
  'invoice.refunded': (standing, amount) => ({
    ...standing,
    kind: 'refund',
    lines: [line('refunds', amount), line('cash', -amount)],
  }),
  // Nobody pays it any more, and its usage is unbilled until its bill is withdrawn and billed anew.
  'invoice.voided': ({ openMinor, lostMinor }) => ({
    kind: 'void',
    lines: [
      line('accrued', openMinor + lostMinor),
      line('receivable', -openMinor),
      line('write_offs', -lostMinor),
    ],
    openMinor: 0n,
    lostMinor: 0n,
  }),
  'invoice.uncollectible': ({ openMinor, lostMinor }) => ({
    kind: 'write_off',
    lines: [line('write_offs', openMinor), line('receivable', -openMinor)],
    openMinor: 0n,
    lostMinor: lostMinor + openMinor,
  }),
  'dispute.opened': (standing, amount) => ({
    ...standing,
    kind: 'dispute',
    lines: [line('disputed', amount), line('cash', -amount)],
  }),
  'dispute.closed': (standing, amount, { isWon }) => ({
    ...standing,
    kind: 'dispute_closed',
    lines: [line(isWon ? 'cash' : 'write_offs', amount), line('disputed', -amount)],
  }),
};

/** The entries of an invoice from when it was final, and what is open of it after all of them. */
export function invoiceEntries(
  invoice: IssuedInvoice,
  ids: JournalIds,
): { readonly entries: readonly JournalEntry[]; readonly openMinor: bigint } {
  const { billId, invoiceId, orgId, currency, month, totalMinor, finalizedAt } = invoice;
  const about = { month, orgId, currency, billId, invoiceId };
  const issued = [line('receivable', totalMinor), line('accrued', -totalMinor)];
  const entries = [entryOf({ ...about, kind: 'invoice', at: finalizedAt }, issued, billId, ids)];
  let standing: Standing = { openMinor: totalMinor, lostMinor: 0n };
  for (const settlement of onceEach(invoice.settlements)) {
    const amountMinor = settlement.amountMinor ?? standing.openMinor + standing.lostMinor;
    const { kind, lines, ...next } = BOOKS[settlement.type](standing, amountMinor, settlement);
    standing = next;
    entries.push(
      entryOf(
        { ...about, kind, at: settlement.at },
        lines,
        JSON.stringify([invoiceId, settlement.type, settlement.key]),
        ids,
      ),
    );
  }
  return { entries: entries.filter((entry) => entry !== null), openMinor: standing.openMinor };
}

/** In the order in which they happened. */
function onceEach(settlements: readonly Settlement[]): Settlement[] {
  const order = (a: Settlement, b: Settlement): number =>
    a.at === b.at
      ? SETTLEMENT_TYPES.indexOf(a.type) - SETTLEMENT_TYPES.indexOf(b.type) || compareText(a.key, b.key)
      : a.at < b.at
        ? -1
        : 1;
  const seen = new Set<string>();
  return [...settlements].sort(order).filter(({ type, key }) => {
    const name = JSON.stringify([type, key]);
    return !seen.has(name) && seen.add(name);
  });
}

function entryOf(
  about: Omit<JournalEntry, 'entryId' | 'lines'>,
  booked: readonly JournalLine[],
  key: string,
  { account, mode, sha256 }: JournalIds,
): JournalEntry | null {
  const lines = booked.filter(({ amountMinor }) => amountMinor !== 0n);
  if (lines.length === 0) return null;
  const rest = lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
  invariant(
    rest === 0n,
    `the ${about.kind} entry of ${key} must balance, and is off by ${rest} ${about.currency}`,
  );
  return { entryId: derivedId('jrn', [account, mode, about.kind, key], sha256), ...about, lines };
}

function line(account: AccountKey, amountMinor: bigint, meterId = ''): JournalLine {
  return { account, meterId, amountMinor };
}

function above(amount: bigint): bigint {
  return amount > 0n ? amount : 0n;
}

function below(amount: bigint): bigint {
  return amount < 0n ? amount : 0n;
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
