import { z } from '@hono/zod-openapi';
import { listBills } from '../../billing/overage-run/read-bills.js';
import { openCursor, sealCursor } from '../cursor.js';
import { operation } from '../operation.js';
import { Cursor, ForeignId, Limit, MonthArgument, NextCursor } from '../shapes.js';
import { BILL_STATES } from './bill-shape.js';
import { InvoiceShape, invoiceShapes } from './payment-state.js';
import { STRIPE_PROBLEMS } from './stripe-problems.js';

const Place = z.tuple([z.string(), z.string(), z.string()]);

export const listInvoices = operation({
  method: 'get',
  path: '/v1/invoices',
  scope: 'billing:read',
  tag: 'Billing',
  summary: 'Invoices of overages, where they stand and whether they are paid, the newest month first, by org',
  query: z.strictObject({
    month: MonthArgument.optional(),
    org: ForeignId.optional(),
    state: z.enum(BILL_STATES).optional(),
    limit: Limit(500, 100),
    cursor: Cursor.optional(),
  }),
  answer: z.object({
    mode: z.enum(['live', 'test']),
    invoices: z.array(InvoiceShape),
    next_cursor: NextCursor,
  }),
  problems: [...STRIPE_PROBLEMS, 'invalid_cursor'],

  async handle({ query }, { services, now }) {
    const { month, org: orgId, state, limit, cursor } = query;
    const { account } = (await services.billing()).store;
    const name = JSON.stringify(['invoices', month, orgId, state]);
    const after = cursor === undefined ? null : openCursor(name, cursor, Place);
    const found = await listBills(
      services.sql,
      account,
      { month, orgId, state },
      { after, limit: limit + 1 },
    );
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return {
      mode: account.mode,
      invoices: await invoiceShapes(page, account, { services, now }),
      next_cursor:
        found.length > limit && last !== undefined
          ? sealCursor(name, [last.month, last.orgId, last.billId])
          : null,
    };
  },
});
