import { z } from '@hono/zod-openapi';
import { checkBill } from '../../billing/overage-run/check-bill.js';
import { getBill } from '../../billing/overage-run/read-bills.js';
import { BREAK_CAUSES } from '../../billing/overage-run/reconcile.js';
import { invariant } from '../../core/errors.js';
import { operation } from '../operation.js';
import { Flag } from '../shapes.js';
import { LedgerEntryShape, ledgerEntryShape } from './bill-shape.js';
import { InvoiceShape, invoiceShapes } from './payment-state.js';
import { STRIPE_PROBLEMS } from './stripe-problems.js';

export const getInvoice = operation({
  method: 'get',
  path: '/v1/invoices/{billId}',
  scope: 'billing:read',
  tag: 'Billing',
  summary: 'One invoice of overages with its lines, and held against Stripe where that is asked for',
  params: z.object({ billId: z.string().min(1).max(80) }),
  query: z.strictObject({
    reconcile: Flag.optional().openapi({
      description: 'Ask Stripe how the invoice stands, and say where it is not what was rated.',
    }),
  }),
  answer: z.object({
    invoice: InvoiceShape,
    lines: z.array(LedgerEntryShape),
    breaks: z
      .array(z.object({ cause: z.enum(BREAK_CAUSES), message: z.string() }))
      .nullable()
      .openapi({ description: 'null: not asked; empty: Stripe has what was rated, one to one' }),
  }),
  problems: [...STRIPE_PROBLEMS, 'not_found'],

  async handle({ params, query }, { services, now }) {
    const desk = await services.billing();
    const bill = await getBill(services.sql, desk.store.account, params.billId);
    const [invoice] = await invoiceShapes([bill], desk.store.account, { services, now });
    invariant(invoice !== undefined, 'one bill is one invoice');
    return {
      invoice,
      lines: (await desk.store.linesOf(bill.billId)).map(ledgerEntryShape),
      breaks: query.reconcile === true ? await checkBill(bill, desk) : null,
    };
  },
});
