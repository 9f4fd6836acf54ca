import { z } from '@hono/zod-openapi';
import type { KeptBill, KeptBillLine } from '../../billing/overage-run/bill-store.js';
import { Digits, InstantAnswer } from '../shapes.js';
import { LINE_KIND } from './overage-line-shape.js';

export const BILL_STATES = [
  'awaiting_approval',
  'planned',
  'finalized',
  'blocked',
  'refused',
  'withdrawn',
] as const;

/** What a bill is, and of a credit note where it is. */
export const BILL_KIND = {
  kind: z.enum(['invoice', 'credit_note']).openapi({
    description: '`credit_note`: `total_minor` is below 0, and comes off the invoice `invoice_id`.',
  }),
  credits_bill_id: z
    .string()
    .nullable()
    .openapi({ description: 'Of a credit note: the bill whose invoice it takes something off.' }),
  credit_note_id: z.string().nullable(),
};

export function billKind({ creditsBillId, creditNoteId }: KeptBill) {
  return {
    kind: creditsBillId === null ? ('invoice' as const) : ('credit_note' as const),
    credits_bill_id: creditsBillId,
    credit_note_id: creditNoteId,
  };
}

/** One invoice of overages, or one credit note on one. Amounts are in ISO 4217's minor unit. */
export const BillShape = z
  .object({
    bill_id: z.string(),
    ...BILL_KIND,
    org_id: z.string(),
    month: z.string().openapi({ example: '2026-09' }),
    sequence: z.int().openapi({ description: 'Of its org, currency and month.' }),
    state: z.enum(BILL_STATES).openapi({
      description:
        '`awaiting_approval`: nothing of it is sent before somebody approves it. `planned`: on its way. `finalized`: final at Stripe. `blocked`: what stands at Stripe is not what was rated. `refused`: Stripe said no. `withdrawn`: taken back, and billed anew by the next run.',
    }),
    total_minor: Digits,
    carried_item_minor: Digits.openapi({ description: 'The part of it that earlier months had left.' }),
    currency: z.string(),
    customer_id: z.string(),
    invoice_id: z.string().nullable(),
    problem_code: z.string().nullable(),
    problem: z.string().nullable(),
    run_id: z.string().openapi({ description: 'The run that usage was read from.' }),
    approval_reason: z
      .string()
      .nullable()
      .openapi({ description: 'Why it needs approval; null: it needs none.' }),
    approved_by: z.string().nullable(),
    created_at: InstantAnswer,
    finalized_at: InstantAnswer.nullable(),
  })
  .openapi('Bill');

export function billShape(bill: KeptBill): z.input<typeof BillShape> {
  return {
    bill_id: bill.billId,
    ...billKind(bill),
    org_id: bill.orgId,
    month: bill.month.slice(0, 7),
    sequence: bill.sequence,
    state: bill.state,
    total_minor: bill.totalMinor,
    carried_item_minor: bill.carriedItemMinor,
    currency: bill.currency,
    customer_id: bill.customerId,
    invoice_id: bill.invoiceId,
    problem_code: bill.problemCode,
    problem: bill.problemMessage,
    run_id: bill.runId,
    approval_reason: bill.approvalReason,
    approved_by: bill.approvedBy,
    created_at: bill.createdAt,
    finalized_at: bill.finalizedAt,
  };
}

/** An entry of the ledger: what it adds to its line, and what it was rated from. */
export const LedgerEntryShape = z
  .object({
    line_id: z.string(),
    ...LINE_KIND,
    sequence: z.int().openapi({ description: '1, and one more for each correction.' }),
    subscription_id: z.string(),
    meter: z.string(),
    period_start: InstantAnswer,
    period_end: InstantAnswer,
    used: z.string(),
    included: z.string().nullable(),
    overage: z.string(),
    amount_minor: Digits,
    charged_minor: Digits,
    currency: z.string(),
    is_assumed: z.boolean(),
    catalog_version: z.int().nullable(),
    run_id: z.string(),
    events: z.int(),
    event_digest: Digits.openapi({ description: 'Of these events, whatever their order.' }),
  })
  .openapi('LedgerEntry');

export function ledgerEntryShape(line: KeptBillLine): z.input<typeof LedgerEntryShape> {
  return {
    line_id: line.lineId,
    kind: line.kind,
    description: line.words,
    credit_id: line.creditId,
    sequence: line.sequence,
    subscription_id: line.subscriptionId,
    meter: line.meterId,
    period_start: line.periodStart,
    period_end: line.periodEnd,
    used: line.used,
    included: line.included,
    overage: line.overage,
    amount_minor: line.amountMinor,
    charged_minor: line.chargedMinor,
    currency: line.currency,
    is_assumed: line.isAssumed,
    catalog_version: line.catalogVersion === null ? null : Number(line.catalogVersion),
    run_id: line.runId,
    events: line.events,
    event_digest: line.eventDigest,
  };
}
