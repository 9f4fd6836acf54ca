import { allLedgerInvoices } from '../../billing/ledger/ledger-invoices.js';
import { listLedgerBreaks, type BreakPlace, type LedgerBreak } from '../../billing/ledger/ledger-breaks.js';
import { nextStep } from '../../billing/ledger/next-step.js';
import { usagePeriods } from '../../billing/ledger/usage-periods.js';
import type { OverageLine } from '../../billing/overage-plan.js';
import { formatInstant, MICROS_PER_DAY, type Instant } from '../../core/time.js';
import type { SuppliedValue } from '../../platform/warehouse/supplied-table.js';
import type { Run } from '../../transforms/run-store.js';
import type { Services } from '../services.js';
import type { Supplier } from './supplier.js';

/** What billing knows and no transform builds, as relations: under the names that marts would have. */
export const BILLING_TABLES: Readonly<Record<string, Supplier>> = {
  usage_periods: {
    columns: {
      ...{ line_id: 'text', org_id: 'text', subscription_id: 'text', meter: 'text' },
      ...{ period_start: 'instant', period_end: 'instant', is_open: 'boolean' },
      ...{ used: 'decimal', included: 'decimal', overage: 'decimal' },
      ...{
        overage_minor: 'bigint',
        currency: 'text',
        stop_policy: 'text',
        status: 'text',
        events: 'integer',
      },
    },
    rows: ({ run, services, usageSince = 0n }) =>
      run === null ? Promise.resolve(null) : periodRows(run, services, usageSince),
  },
  ledger_invoices: {
    columns: {
      ...{
        bill_id: 'text',
        kind: 'text',
        org_id: 'text',
        month: 'date',
        sequence: 'integer',
        currency: 'text',
      },
      ...{ total_minor: 'bigint', carry_minor: 'bigint', state: 'text' },
      ...{ invoice_id: 'text', credit_note_id: 'text', payment: 'text' },
      ...{ paid_minor: 'bigint', unpaid_minor: 'bigint', due_at: 'instant', paid_at: 'instant' },
      ...{ days_past_due: 'integer', age: 'text', dispute: 'text', reconciliation: 'text' },
      ...{ finalized_at: 'instant', as_of: 'instant' },
    },
    rows: ({ services, now }) => invoiceRows(services, now),
  },
  ledger_breaks: {
    columns: {
      ...{ break_id: 'text', bill_id: 'text', org_id: 'text', month: 'date', invoice_id: 'text' },
      ...{ state: 'text', amount_minor: 'bigint', currency: 'text' },
      ...{ cause: 'text', message: 'text', next_step: 'text' },
      ...{ found_at: 'instant', last_seen_at: 'instant', aged_days: 'integer', as_of: 'instant' },
    },
    rows: ({ services, now }) => breakRows(services, now),
  },
};

/** Every period that is over by the run's as-of, and those that are open then. */
async function periodRows(run: Run, services: Services, since: Instant): Promise<SuppliedValue[][]> {
  const catalogs = await services.catalogs.published();
  const choicesIn = await services.quota.choices();
  const request = { catalogs, asOf: run.asOf, orgId: undefined, choicesIn };
  return services.runs.read(run, async ({ reader }) => {
    const over = await usagePeriods(reader, { ...request, ending: { start: since, end: run.asOf } });
    const open = await usagePeriods(reader, { ...request, ending: null });
    return [...over.map((line) => periodRow(line, false)), ...open.map((line) => periodRow(line, true))];
  });
}

function periodRow(line: OverageLine, isOpen: boolean): SuppliedValue[] {
  const { period, amount } = line;
  return [
    ...[line.lineId, line.orgId, line.subscriptionId, line.meterId],
    ...[formatInstant(period.start), formatInstant(period.end), isOpen],
    ...[line.used, line.included, line.overage],
    ...[digits(amount?.amountMinor), amount?.currency ?? null],
    ...[line.stopPolicy, line.status, digits(line.events)],
  ];
}

async function invoiceRows({ billing, sql }: Services, now: Instant): Promise<SuppliedValue[][]> {
  const { account } = (await billing()).store;
  const invoices = await allLedgerInvoices(sql, account, {}, now);
  return invoices.map(({ bill, ...invoice }) => [
    ...[bill.billId, bill.creditsBillId === null ? 'invoice' : 'credit_note', bill.orgId, bill.month],
    ...[
      digits(bill.sequence),
      bill.currency,
      digits(bill.totalMinor),
      digits(invoice.carryMinor),
      bill.state,
    ],
    ...[bill.invoiceId, bill.creditNoteId, invoice.payment],
    ...[digits(invoice.paidMinor), digits(invoice.unpaidMinor)],
    ...[instant(invoice.dueAt), instant(invoice.paidAt)],
    ...[digits(invoice.daysPastDue), invoice.age, invoice.dispute, invoice.reconciliation],
    ...[instant(bill.finalizedAt), instant(now)],
  ]);
}

const PAGE_ROWS = 1_000;

async function breakRows({ billing, sql }: Services, now: Instant): Promise<SuppliedValue[][]> {
  const { account } = (await billing()).store;
  const rows: SuppliedValue[][] = [];
  let after: BreakPlace | null = null;
  for (;;) {
    const page: LedgerBreak[] = await listLedgerBreaks(sql, account, {}, { after, limit: PAGE_ROWS });
    rows.push(...page.map((one) => breakRow(one, now)));
    const last = page.at(-1);
    if (page.length < PAGE_ROWS || last === undefined) return rows;
    after = [last.bill.month, last.bill.orgId, last.bill.billId, last.breakId];
  }
}

function breakRow(one: LedgerBreak, now: Instant): SuppliedValue[] {
  const { bill } = one;
  return [
    ...[one.breakId, bill.billId, bill.orgId, bill.month, bill.invoiceId],
    ...[bill.state, digits(bill.totalMinor), bill.currency],
    ...[one.cause, one.message, nextStep(one)],
    ...[
      instant(one.foundAt),
      instant(one.lastSeenAt),
      digits((now - one.foundAt) / MICROS_PER_DAY),
      instant(now),
    ],
  ];
}

function digits(value: bigint | number | undefined): string | null {
  return value === undefined ? null : String(value);
}

function instant(at: Instant | null): string | null {
  return at === null ? null : formatInstant(at);
}
