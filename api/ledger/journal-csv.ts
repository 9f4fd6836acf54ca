import { accountOf, type ChartOfAccounts } from '../../billing/ledger/accounts.js';
import type { JournalEntry } from '../../billing/ledger/journal.js';
import type { LedgerInvoice } from '../../billing/ledger/ledger-invoices.js';
import { formatMajor } from '../../core/money.js';
import { formatInstant, type Instant } from '../../core/time.js';
import { BILL_LINE_KINDS } from '../../platform/sql/billing-schema.js';
import { csvText, spreadsheetText } from '../csv.js';

const JOURNAL_HEAD = [
  ...[
    'entry_id',
    'date',
    'month',
    'kind',
    'org_id',
    'currency',
    'account',
    'account_name',
    'debit',
    'credit',
  ],
  ...['meter', 'bill_id', 'invoice_id'],
];

/** Amounts are in major units, with every digit that the currency has; one of debit and credit is empty. */
export function journalCsv(entries: readonly JournalEntry[], chart: ChartOfAccounts): string {
  const rows = entries.flatMap((entry) =>
    entry.lines.map(({ account: key, meterId, amountMinor }) => {
      const { currency } = entry;
      const { number, name } = accountOf(chart, key, meterId);
      const amount = formatMajor({ amountMinor: amountMinor < 0n ? -amountMinor : amountMinor, currency });
      return [
        ...[entry.entryId, dayOf(entry.at), entry.month.slice(0, 7), entry.kind],
        ...[spreadsheetText(entry.orgId), currency, spreadsheetText(number), spreadsheetText(name)],
        ...(amountMinor > 0n ? [amount, null] : [null, amount]),
        meterId === '' ? null : spreadsheetText(meterId),
        ...[entry.billId, entry.invoiceId],
      ];
    }),
  );
  return csvText(JOURNAL_HEAD, rows);
}

const INVOICE_HEAD = [
  ...[
    'bill_id',
    'org_id',
    'month',
    'currency',
    ...BILL_LINE_KINDS,
    'carried',
    'total',
    'state',
    'invoice_id',
    'credit_note_id',
  ],
  ...['payment', 'paid', 'unpaid', 'finalized', 'due', 'days_past_due', 'age', 'reconciliation'],
];

/** One line for each invoice, in the currency of it. */
export function invoicesCsv(invoices: readonly LedgerInvoice[]): string {
  return csvText(INVOICE_HEAD, invoices.map(invoiceRow));
}

function invoiceRow({ bill, entered, ...invoice }: LedgerInvoice): (string | null)[] {
  const { currency } = bill;
  const major = (amountMinor: bigint): string => formatMajor({ amountMinor, currency });
  const kinds = new Map(entered.map(({ kind, amountMinor }) => [kind, amountMinor]));
  return [
    ...[bill.billId, spreadsheetText(bill.orgId), bill.month.slice(0, 7), currency],
    ...BILL_LINE_KINDS.map((kind) => major(kinds.get(kind) ?? 0n)),
    ...[major(invoice.carryMinor), major(bill.totalMinor), bill.state, bill.invoiceId, bill.creditNoteId],
    ...[invoice.payment, major(invoice.paidMinor), major(invoice.unpaidMinor)],
    ...[bill.finalizedAt, invoice.dueAt].map((at) => (at === null ? null : dayOf(at))),
    ...[String(invoice.daysPastDue), invoice.age, invoice.reconciliation],
  ];
}

function dayOf(at: Instant): string {
  return formatInstant(at).slice(0, 10);
}
