import { z } from '@hono/zod-openapi';
import { getBill } from '../../billing/overage-run/read-bills.js';
import { BREAK_CAUSES } from '../../billing/overage-run/reconcile.js';
import { reconcileBill } from '../../billing/overage-run/reconcile-bill.js';
import { actorOf } from '../actor.js';
import { operation } from '../operation.js';
import { STRIPE_PROBLEMS } from './stripe-problems.js';

export const reconcileInvoice = operation({
  method: 'post',
  path: '/v1/invoices/{billId}/reconcile',
  scope: 'billing:write',
  tag: 'Billing',
  summary: 'Hold an invoice against Stripe as it stands now, and keep what is found',
  description:
    'What was rated must stand on it, one to one, to the cent. A break stays open until a later look finds it mended; Headgate looks by itself each night.',
  params: z.object({ billId: z.string().min(1).max(80) }),
  onRepeat: 'another go',
  answer: z.object({
    bill_id: z.string(),
    breaks: z.array(z.object({ cause: z.enum(BREAK_CAUSES), message: z.string() })),
  }),
  problems: [...STRIPE_PROBLEMS, 'not_found'],

  async handle({ params }, context) {
    const { services } = context;
    const desk = await services.billing();
    const bill = await getBill(services.sql, desk.store.account, params.billId);
    return { bill_id: bill.billId, breaks: await reconcileBill(bill, actorOf(context), desk) };
  },
});
