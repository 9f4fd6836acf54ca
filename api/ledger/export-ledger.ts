import { z } from '@hono/zod-openapi';
import { ChartOfAccounts, accountOf, NO_CHART } from '../../billing/ledger/accounts.js';
import { ENTRY_KINDS, type JournalEntry } from '../../billing/ledger/journal.js';
import { allLedgerInvoices } from '../../billing/ledger/ledger-invoices.js';
import { loadJournal } from '../../billing/ledger/load-journal.js';
import { readSettlements } from '../../billing/ledger/read-settlements.js';
import { billingMonth } from '../../billing/billing-month.js';
import { STRIPE_PROBLEMS } from '../billing/stripe-problems.js';
import { rulingCatalog } from '../catalog/ruling-catalog.js';
import { operation } from '../operation.js';
import { RawAnswer } from '../raw-answer.js';
import { Digits, ForeignId, InstantAnswer, MonthArgument } from '../shapes.js';
import { invoicesCsv, journalCsv } from './journal-csv.js';

const Chart = z
  .string()
  .max(8_000)
  .transform((text, context): ChartOfAccounts => {
    const parsed = ChartOfAccounts.safeParse(jsonOrNull(text));
    if (parsed.success) return parsed.data;
    const message = parsed.error.issues
      .map((issue) => `${issue.path.join('.')}: ${issue.message}`)
      .join('; ');
    context.addIssue({
      code: 'custom',
      message: `accounts must be {"accounts": {"cash": {"number": "1010"}}}: ${message}`,
    });
    return z.NEVER;
  })
  .openapi({ type: 'string' });

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const Entry = z.object({
  entry_id: z.string(),
  kind: z.enum(ENTRY_KINDS),
  at: InstantAnswer,
  month: z.string(),
  org_id: z.string(),
  currency: z.string(),
  bill_id: z.string().nullable(),
  invoice_id: z.string().nullable(),
  lines: z.array(
    z.object({
      account: z.string(),
      number: z.string(),
      name: z.string(),
      meter: z.string().nullable(),
      debit_minor: Digits,
      credit_minor: Digits,
    }),
  ),
});

export const exportLedger = operation({
  method: 'get',
  path: '/v1/ledger/export',
  scope: 'billing:read',
  tag: 'Ledger',
  summary: 'A billing month for accounting: its journal, in which each entry balances, or its invoices',
  description:
    '`json` and `journal` (CSV) are all entries that the bills of the month come to, whenever they happened; `invoices` (CSV) is a line for ' +
    'each bill. An entry has the same id whenever it is exported. Payments, refunds and disputes are those of the current run; `differences` ' +
    'are invoices of which Stripe’s last word is another. A header, `headgate-differences`, counts them.',
  query: z.strictObject({
    month: MonthArgument,
    org: ForeignId.optional(),
    format: z.enum(['json', 'journal', 'invoices']).default('json'),
    accounts: Chart.optional().openapi({
      description: 'JSON: your own account numbers, and one for a meter’s usage.',
    }),
  }),
  answer: z.object({
    mode: z.enum(['live', 'test']),
    run_id: z.string(),
    as_of: InstantAnswer,
    entries: z.array(Entry),
    differences: z.array(
      z.object({
        bill_id: z.string(),
        invoice_id: z.string(),
        org_id: z.string(),
        currency: z.string(),
        journal_minor: Digits,
        stripe_minor: Digits,
      }),
    ),
  }),
  otherAnswers: ['text/csv'],
  problems: [...STRIPE_PROBLEMS, 'no_catalog', 'no_run', 'run_not_found'],

  async handle({ query: { month, org: orgId, format, accounts: chart = NO_CHART } }, { services, now }) {
    const { account } = (await services.billing()).store;
    if (format === 'invoices') {
      const invoices = await allLedgerInvoices(services.sql, account, { month, orgId }, now);
      return csvAnswer(invoicesCsv(invoices));
    }
    const { catalog } = await rulingCatalog(services.catalogs, now);
    const { ending } = billingMonth(month, now, catalog.zone);
    const run = await services.runs.choose({});
    const { entries, differences } = await services.runs.read(run, ({ reader }) =>
      loadJournal(services.sql, account, { month, ending, orgId }, (currencies) =>
        readSettlements(reader, currencies),
      ),
    );
    if (format === 'journal') {
      const counted = { 'headgate-run': run.runId, 'headgate-differences': String(differences.length) };
      return csvAnswer(journalCsv(entries, chart), counted);
    }
    return {
      mode: account.mode,
      run_id: run.runId,
      as_of: run.asOf,
      entries: entries.map((entry) => entryShape(entry, chart)),
      differences: differences.map((one) => ({
        bill_id: one.billId,
        invoice_id: one.invoiceId,
        org_id: one.orgId,
        currency: one.currency,
        journal_minor: one.journalMinor,
        stripe_minor: one.stripeMinor,
      })),
    };
  },
});

function csvAnswer(text: string, headers: Readonly<Record<string, string>> = {}): RawAnswer {
  return new RawAnswer('text/csv; charset=utf-8; header=present', text, headers);
}

function entryShape(entry: JournalEntry, chart: ChartOfAccounts): z.input<typeof Entry> {
  return {
    entry_id: entry.entryId,
    kind: entry.kind,
    at: entry.at,
    month: entry.month.slice(0, 7),
    org_id: entry.orgId,
    currency: entry.currency,
    bill_id: entry.billId,
    invoice_id: entry.invoiceId,
    lines: entry.lines.map(({ account, meterId, amountMinor }) => ({
      account,
      ...accountOf(chart, account, meterId),
      meter: meterId === '' ? null : meterId,
      debit_minor: amountMinor > 0n ? amountMinor : 0n,
      credit_minor: amountMinor < 0n ? -amountMinor : 0n,
    })),
  };
}
