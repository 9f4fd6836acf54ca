import { z } from '@hono/zod-openapi';
import { AGES } from '../../billing/ledger/aging.js';
import {
  listLedgerInvoices as readInvoices,
  PAYMENTS,
  RECONCILIATIONS,
  summarizeLedger,
  type LedgerInvoice,
  type LedgerSummary,
} from '../../billing/ledger/ledger-invoices.js';
import { BILL_LINE_KINDS } from '../../platform/sql/billing-schema.js';
import { BILL_KIND, BILL_STATES, billKind } from '../billing/bill-shape.js';
import { STRIPE_PROBLEMS } from '../billing/stripe-problems.js';
import { openCursor, sealCursor } from '../cursor.js';
import { operation } from '../operation.js';
import {
  Cursor,
  Digits,
  Flag,
  ForeignId,
  InstantAnswer,
  Limit,
  MonthArgument,
  NextCursor,
} from '../shapes.js';

/** With the instant at which the first page was asked: ages of one list are of one instant. */
const Place = z.tuple([z.string().regex(/^\d{1,19}$/), z.string(), z.string(), z.string()]);

const Invoice = z
  .object({
    bill_id: z.string(),
    ...BILL_KIND,
    org_id: z.string(),
    month: z.string().openapi({ example: '2026-09' }),
    sequence: z.int(),
    currency: z.string(),
    entered: z
      .array(z.object({ kind: z.enum(BILL_LINE_KINDS), amount_minor: Digits }))
      .openapi({ description: 'What was entered with it. Their sum and `carry_minor` are `total_minor`.' }),
    carry_minor: Digits.openapi({
      description: 'What earlier months had left, less what it leaves to the next bill.',
    }),
    total_minor: Digits,
    state: z.enum(BILL_STATES),
    invoice_id: z.string().nullable(),
    payment: z.enum(PAYMENTS).openapi({
      description:
        '`none`: no invoice yet, or a credit note. `unknown`: final, and Stripe has not told yet what became of it; counted as unpaid.',
    }),
    paid_minor: Digits,
    unpaid_minor: Digits,
    due_at: InstantAnswer.nullable(),
    paid_at: InstantAnswer.nullable(),
    days_past_due: z.int(),
    age: z.enum(AGES),
    failing_since: InstantAnswer.nullable(),
    dispute: z.enum(['none', 'open', 'won', 'lost']),
    reconciliation: z.enum(RECONCILIATIONS),
    finalized_at: InstantAnswer.nullable(),
  })
  .openapi('LedgerInvoice');

const Summary = z.object({
  currency: z.string(),
  invoices: z.int(),
  total_minor: Digits,
  paid_minor: Digits,
  unpaid_minor: Digits,
  unpaid_by_age: z.array(z.object({ age: z.enum(AGES), amount_minor: Digits })),
});

export const listLedgerInvoices = operation({
  method: 'get',
  path: '/v1/ledger/invoices',
  scope: 'billing:read',
  tag: 'Ledger',
  summary:
    'Invoices of overages as finance sees them: what they are made of, paid, due, and whether they are what was rated',
  description:
    'The newest month first, by org. `summary` is over all that the filters find, by currency, whatever the page; bills that were withdrawn ' +
    'count there only with what is paid or unpaid of them. Ages are whole days past due at `as_of`.',
  query: z.strictObject({
    month: MonthArgument.optional(),
    org: ForeignId.optional(),
    unpaid: Flag.optional().openapi({ description: 'true: only what is not paid in full.' }),
    limit: Limit(500, 100),
    cursor: Cursor.optional(),
  }),
  answer: z.object({
    mode: z.enum(['live', 'test']),
    as_of: InstantAnswer,
    summary: z.array(Summary),
    invoices: z.array(Invoice),
    next_cursor: NextCursor,
  }),
  problems: [...STRIPE_PROBLEMS, 'invalid_cursor'],

  async handle({ query: { month, org: orgId, unpaid: isUnpaid, limit, cursor } }, { services, now }) {
    const { account } = (await services.billing()).store;
    const name = JSON.stringify(['ledger invoices', month, orgId, isUnpaid]);
    const place = cursor === undefined ? null : openCursor(name, cursor, Place);
    const asOf = place === null ? now : BigInt(place[0]);
    const after = place === null ? null : ([place[1], place[2], place[3]] as const);
    const filter = { month, orgId, isUnpaid };
    const found = await readInvoices(services.sql, account, filter, { after, limit: limit + 1, asOf });
    const page = found.slice(0, limit);
    const last = page.at(-1)?.bill;
    return {
      mode: account.mode,
      as_of: asOf,
      summary: (await summarizeLedger(services.sql, account, filter, asOf)).map(summaryShape),
      invoices: page.map(invoiceShape),
      next_cursor:
        found.length > limit && last !== undefined
          ? sealCursor(name, [asOf.toString(), last.month, last.orgId, last.billId])
          : null,
    };
  },
});

function invoiceShape({ bill, ...invoice }: LedgerInvoice): z.input<typeof Invoice> {
  return {
    bill_id: bill.billId,
    ...billKind(bill),
    org_id: bill.orgId,
    month: bill.month.slice(0, 7),
    sequence: bill.sequence,
    currency: bill.currency,
    entered: invoice.entered.map(({ kind, amountMinor }) => ({ kind, amount_minor: amountMinor })),
    carry_minor: invoice.carryMinor,
    total_minor: bill.totalMinor,
    state: bill.state,
    invoice_id: bill.invoiceId,
    payment: invoice.payment,
    paid_minor: invoice.paidMinor,
    unpaid_minor: invoice.unpaidMinor,
    due_at: invoice.dueAt,
    paid_at: invoice.paidAt,
    days_past_due: invoice.daysPastDue,
    age: invoice.age,
    failing_since: invoice.failingSince,
    dispute: invoice.dispute,
    reconciliation: invoice.reconciliation,
    finalized_at: bill.finalizedAt,
  };
}

function summaryShape(summary: LedgerSummary): z.input<typeof Summary> {
  const { currency, invoices, totalMinor, paidMinor, unpaidMinor, unpaidByAge } = summary;
  return {
    currency,
    invoices,
    total_minor: totalMinor,
    paid_minor: paidMinor,
    unpaid_minor: unpaidMinor,
    unpaid_by_age: AGES.map((age) => ({ age, amount_minor: unpaidByAge.get(age) ?? 0n })),
  };
}
