import { z } from '@hono/zod-openapi';
import { approveBill } from '../../billing/overage-run/approve-bill.js';
import { getBill } from '../../billing/overage-run/read-bills.js';
import { actorOf } from '../actor.js';
import { operation } from '../operation.js';
import { BillShape, billShape } from './bill-shape.js';
import { STRIPE_PROBLEMS } from './stripe-problems.js';

export const approveInvoice = operation({
  method: 'post',
  path: '/v1/invoices/{billId}/approve',
  scope: 'billing:write',
  tag: 'Billing',
  summary: 'Let a bill go that waits for approval; the next run carries it out',
  description:
    'A bill waits where its amount, or its rise over the month before, is more than the configuration lets go by itself. Who approved it, ' +
    'and why, is on record. To refuse one, withdraw it.',
  params: z.object({ billId: z.string().min(1).max(80) }),
  body: z.strictObject({ reason: z.string().min(1).max(500) }),
  onRepeat: 'another go',
  answer: BillShape,
  problems: [...STRIPE_PROBLEMS, 'not_found', 'conflict'],

  async handle({ params, body }, context) {
    const { services } = context;
    const desk = await services.billing();
    const { account } = desk.store;
    const bill = await getBill(services.sql, account, params.billId);
    await approveBill(bill, { reason: body.reason, actor: actorOf(context) }, desk);
    return billShape(await getBill(services.sql, account, params.billId));
  },
});
