import { z } from '@hono/zod-openapi';
import { DEFAULT_GRACE_DAYS, dunningOf } from '../../billing/dunning.js';
import { mirroredInvoices, type MirroredInvoice } from '../../billing/mirrored-invoices.js';
import type { KeptBill } from '../../billing/overage-run/bill-store.js';
import { RefusedError } from '../../core/errors.js';
import type { Instant } from '../../core/time.js';
import type { OutsideAccount } from '../../platform/outbound/intent.js';
import type { Services } from '../services.js';
import { Digits, InstantAnswer } from '../shapes.js';
import { BillShape, billShape } from './bill-shape.js';

const PaymentShape = z
  .object({
    status: z.enum(['open', 'paid', 'uncollectible', 'void']),
    paid_minor: Digits,
    remaining_minor: Digits,
    refunded_minor: Digits,
    due_at: InstantAnswer.nullable(),
    paid_at: InstantAnswer.nullable(),
    attempts: z.int(),
    next_attempt_at: InstantAnswer.nullable(),
    dispute: z.enum(['none', 'open', 'won', 'lost']),
    dunning: z.enum(['current', 'past_due', 'paused', 'uncollectible']).openapi({
      description:
        '`past_due`: a payment failed, or it is overdue, and the grace of the stop policy is not over. `paused`: it is.',
    }),
    pauses_at: InstantAnswer.nullable().openapi({ description: 'When that grace is over, or was.' }),
  })
  .openapi('Payment');

/** A bill, and how its invoice stands at Stripe. */
export const InvoiceShape = BillShape.extend({
  payment: PaymentShape.nullable().openapi({
    description: 'null: Stripe has not told of it, or it is a credit note',
  }),
}).openapi('Invoice');

/** Bills with what Stripe last told of their invoices. */
export async function invoiceShapes(
  bills: readonly KeptBill[],
  account: OutsideAccount,
  { services, now }: { readonly services: Services; readonly now: Instant },
): Promise<z.input<typeof InvoiceShape>[]> {
  const ids = bills.map(({ invoiceId }) => invoiceId).filter((id) => id !== null);
  const told = await mirroredInvoices(services.sql, account, ids);
  const graceOf = await graces(services, told.size === 0 ? [] : bills.map(({ orgId }) => orgId), now);
  return bills.map((bill) => {
    const isInvoice = bill.invoiceId !== null && bill.creditsBillId === null;
    const invoice = isInvoice ? told.get(bill.invoiceId ?? '') : undefined;
    const payment = invoice === undefined ? null : paymentShape(invoice, now, graceOf(bill.orgId));
    return { ...billShape(bill), payment };
  });
}

function paymentShape(
  invoice: MirroredInvoice,
  now: Instant,
  graceDays: number,
): z.input<typeof PaymentShape> {
  const dunning = dunningOf([invoice], now, graceDays);
  return {
    status: invoice.status,
    paid_minor: invoice.paidMinor,
    remaining_minor: invoice.remainingMinor,
    refunded_minor: invoice.refundedMinor,
    due_at: invoice.dueAt,
    paid_at: invoice.paidAt,
    attempts: invoice.attemptCount,
    next_attempt_at: invoice.nextPaymentAttemptAt,
    dispute: invoice.dispute,
    dunning: dunning.state,
    pauses_at: 'pausesAt' in dunning ? dunning.pausesAt : null,
  };
}

const Held = z.object({ org_id: z.string(), plan_id: z.string() });

/** By the plan that an org held last; the default where the catalog or the marts know nothing of it. */
async function graces(
  { runs, catalogs }: Services,
  orgIds: readonly string[],
  now: Instant,
): Promise<(orgId: string) => number> {
  const plans = (await catalogs.inForce(now))?.file.catalog.plans ?? {};
  const orgs = [...new Set(orgIds)];
  if (orgs.length === 0 || Object.keys(plans).length === 0) return () => DEFAULT_GRACE_DAYS;
  const names = orgs.map((_, index) => `org_${index}`);
  const held = await runs
    .withRun({}, ({ reader }) =>
      reader.query(
        `select org_id, plan_id from ${reader.relation}.org_months
         where org_id in (${names.map((name) => `$${name}`).join(', ')})
         order by month`,
        Object.fromEntries(orgs.map((org, index) => [names[index] ?? '', org])),
        Held,
      ),
    )
    .catch((error: unknown) => {
      if (error instanceof RefusedError && error.code === 'no_run') return [];
      throw error;
    });
  const planOf = new Map(held.map(({ org_id: orgId, plan_id: planId }) => [orgId, planId]));
  return (orgId) => plans[planOf.get(orgId) ?? '']?.stopPolicy?.paymentGraceDays ?? DEFAULT_GRACE_DAYS;
}
