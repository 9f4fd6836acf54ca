import { z } from '@hono/zod-openapi';
import { listLinks } from '../../billing/overage-run/customer-links.js';
import { openCursor, sealCursor } from '../cursor.js';
import { operation } from '../operation.js';
import { Cursor, Limit, NextCursor } from '../shapes.js';
import { CustomerLinkShape, customerLinkShape } from './customer-shape.js';
import { STRIPE_PROBLEMS } from './stripe-problems.js';

const LIST = 'billing customers';
const Place = z.tuple([z.string()]);

export const listCustomers = operation({
  method: 'get',
  path: '/v1/billing/customers',
  scope: 'billing:read',
  tag: 'Billing',
  summary:
    "Which customers of Stripe pay for which orgs, in the account and mode of this server's key, by org",
  query: z.strictObject({ limit: Limit(500, 100), cursor: Cursor.optional() }),
  answer: z.object({ customers: z.array(CustomerLinkShape), next_cursor: NextCursor }),
  problems: [...STRIPE_PROBLEMS, 'invalid_cursor'],

  async handle({ query }, { services }) {
    const { store } = await services.billing();
    const [after = ''] = query.cursor === undefined ? [] : openCursor(LIST, query.cursor, Place);
    const found = await listLinks(services.sql, store.account, { after, limit: query.limit + 1 });
    const page = found.slice(0, query.limit);
    const last = page.at(-1);
    return {
      customers: page.map(customerLinkShape),
      next_cursor: found.length > query.limit && last !== undefined ? sealCursor(LIST, [last.orgId]) : null,
    };
  },
});
