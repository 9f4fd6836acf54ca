import { z } from '@hono/zod-openapi';
import { listWaiting as readWaiting } from '../../billing/overage-run/read-bills.js';
import { openCursor, sealCursor } from '../cursor.js';
import { operation } from '../operation.js';
import { Cursor, Digits, Limit, NextCursor } from '../shapes.js';
import { STRIPE_PROBLEMS } from './stripe-problems.js';

const LIST = 'billing waiting';
const Place = z.tuple([z.string(), z.string()]);

export const listWaiting = operation({
  method: 'get',
  path: '/v1/billing/waiting',
  scope: 'billing:read',
  tag: 'Billing',
  summary: 'What orgs have waiting for their next bill: under the minimum charge, or (below 0) owed to them',
  query: z.strictObject({ limit: Limit(500, 100), cursor: Cursor.optional() }),
  answer: z.object({
    waiting: z.array(z.object({ org_id: z.string(), currency: z.string(), amount_minor: Digits })),
    next_cursor: NextCursor,
  }),
  problems: [...STRIPE_PROBLEMS, 'invalid_cursor'],

  async handle({ query: { limit, cursor } }, { services }) {
    const { account } = (await services.billing()).store;
    const after = cursor === undefined ? null : openCursor(LIST, cursor, Place);
    const found = await readWaiting(services.sql, account, { after, limit: limit + 1 });
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return {
      waiting: page.map(({ orgId, currency, amountMinor }) => ({
        org_id: orgId,
        currency,
        amount_minor: amountMinor,
      })),
      next_cursor:
        found.length > limit && last !== undefined ? sealCursor(LIST, [last.orgId, last.currency]) : null,
    };
  },
});
