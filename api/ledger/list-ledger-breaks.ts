import { z } from '@hono/zod-openapi';
import { MICROS_PER_DAY } from '../../core/time.js';
import { listLedgerBreaks as readBreaks } from '../../billing/ledger/ledger-breaks.js';
import { nextStep } from '../../billing/ledger/next-step.js';
import { BILL_STATES } from '../billing/bill-shape.js';
import { STRIPE_PROBLEMS } from '../billing/stripe-problems.js';
import { openCursor, sealCursor } from '../cursor.js';
import { operation } from '../operation.js';
import { Cursor, Digits, ForeignId, InstantAnswer, Limit, MonthArgument, NextCursor } from '../shapes.js';

const Place = z.tuple([z.string(), z.string(), z.string(), z.string()]);

export const listLedgerBreaks = operation({
  method: 'get',
  path: '/v1/ledger/breaks',
  scope: 'billing:read',
  tag: 'Ledger',
  summary:
    'What somebody must look at: invoices that are not what was rated, and bills that stopped on their way',
  description:
    'The newest month first, by org. `next_step` is the command that goes on once what `message` names is mended.',
  query: z.strictObject({
    month: MonthArgument.optional(),
    org: ForeignId.optional(),
    limit: Limit(500, 100),
    cursor: Cursor.optional(),
  }),
  answer: z.object({
    mode: z.enum(['live', 'test']),
    as_of: InstantAnswer,
    breaks: z.array(
      z.object({
        break_id: z.string(),
        bill_id: z.string(),
        org_id: z.string(),
        month: z.string(),
        invoice_id: z.string().nullable(),
        state: z.enum(BILL_STATES),
        amount_minor: Digits.openapi({ description: 'What the bill comes to.' }),
        currency: z.string(),
        cause: z.string(),
        message: z.string(),
        next_step: z.string(),
        found_at: InstantAnswer,
        last_seen_at: InstantAnswer,
        aged_days: z.int(),
      }),
    ),
    next_cursor: NextCursor,
  }),
  problems: [...STRIPE_PROBLEMS, 'invalid_cursor'],

  async handle({ query: { month, org: orgId, limit, cursor } }, { services, now }) {
    const { account } = (await services.billing()).store;
    const name = JSON.stringify(['ledger breaks', month, orgId]);
    const after = cursor === undefined ? null : openCursor(name, cursor, Place);
    const found = await readBreaks(services.sql, account, { month, orgId }, { after, limit: limit + 1 });
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return {
      mode: account.mode,
      as_of: now,
      breaks: page.map((one) => ({
        break_id: one.breakId,
        bill_id: one.bill.billId,
        org_id: one.bill.orgId,
        month: one.bill.month.slice(0, 7),
        invoice_id: one.bill.invoiceId,
        state: one.bill.state,
        amount_minor: one.bill.totalMinor,
        currency: one.bill.currency,
        cause: one.cause,
        message: one.message,
        next_step: nextStep(one),
        found_at: one.foundAt,
        last_seen_at: one.lastSeenAt,
        aged_days: Number((now - one.foundAt) / MICROS_PER_DAY),
      })),
      next_cursor:
        found.length > limit && last !== undefined
          ? sealCursor(name, [last.bill.month, last.bill.orgId, last.bill.billId, last.breakId])
          : null,
    };
  },
});
