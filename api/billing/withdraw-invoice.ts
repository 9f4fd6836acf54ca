import { z } from '@hono/zod-openapi';
import { getBill } from '../../billing/overage-run/read-bills.js';
import { withdrawBill } from '../../billing/overage-run/withdraw-bill.js';
import { actorOf } from '../actor.js';
import { operation } from '../operation.js';
import { BillShape, billShape } from './bill-shape.js';
import { STRIPE_PROBLEMS } from './stripe-problems.js';

export const withdrawInvoice = operation({
  method: 'post',
  path: '/v1/invoices/{billId}/withdraw',
  scope: 'billing:write',
  tag: 'Billing',
  summary: 'Take back a bill that can not come to its end; the next run bills its lines anew',
  description:
    'Its draft is deleted at Stripe first, and the ledger gives back what it had entered. A bill that is final stands.',
  params: z.object({ billId: z.string().min(1).max(80) }),
  body: z.strictObject({ reason: z.string().min(1).max(500) }),
  onRepeat: 'another go',
  answer: BillShape,
  problems: [...STRIPE_PROBLEMS, 'not_found', 'conflict', 'lease_lost'],

  async handle({ params, body }, context) {
    const { services } = context;
    const desk = await services.billing();
    const { account } = desk.store;
    const bill = await getBill(services.sql, account, params.billId);
    await withdrawBill(bill, { reason: body.reason, actor: actorOf(context) }, desk);
    return billShape(await getBill(services.sql, account, params.billId));
  },
});
