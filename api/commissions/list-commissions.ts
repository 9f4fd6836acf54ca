import { z } from '@hono/zod-openapi';
import { martPage } from '../mart-page.js';
import { operation } from '../operation.js';
import {
  Cursor,
  Digits,
  ForeignId,
  InstantAnswer,
  InstantArgument,
  InstantText,
  Limit,
  MonthArgument,
  NextCursor,
} from '../shapes.js';

/** Names are the mart's own; `invoice_line_id`, rate and flat amount say how `amount_minor` follows from `base_minor`. */
const Commission = z
  .object({
    line_id: z.string(),
    partner_id: z.string(),
    program_id: z.string(),
    rule_id: z.string().nullable(),
    rule_version: z.int().nullable(),
    org_id: z.string().nullable(),
    invoice_id: z.string().nullable(),
    invoice_line_id: z.string().nullable(),
    payment_id: z.string().nullable(),
    refund_id: z.string().nullable(),
    dispute_id: z.string().nullable(),
    kind: z.string(),
    base_minor: Digits.nullable(),
    rate_ppm: Digits.nullable(),
    flat_minor: Digits.nullable(),
    amount_minor: Digits,
    currency: z.string(),
    earned_at: InstantText,
    hold_until: z.string().nullable(),
    status: z.enum(['held', 'due', 'blocked']),
    reason: z.string().nullable(),
    trail: z.string().nullable(),
    is_assumed: z.boolean(),
  })
  .openapi('Commission');

export const listCommissions = operation({
  method: 'get',
  path: '/v1/commissions',
  scope: 'partners:read',
  tag: 'Partners',
  summary: 'Commission lines, newest first, each with the payment, the rule and the reason behind it',
  description:
    'Amounts are signed: a reversal takes back what it names. `month` is the UTC month of `earned_at`.',
  query: z.strictObject({
    partner: ForeignId.optional(),
    status: z.enum(['held', 'due', 'blocked']).optional(),
    month: MonthArgument.optional(),
    as_of: InstantArgument.optional(),
    limit: Limit(500, 100),
    cursor: Cursor.optional(),
  }),
  answer: z.object({
    run_id: z.string(),
    as_of: InstantAnswer,
    commissions: z.array(Commission),
    next_cursor: NextCursor,
  }),
  problems: ['invalid_cursor', 'no_run', 'no_run_as_of', 'run_not_found'],

  async handle({ query }, { services }) {
    const page = await martPage(
      services,
      {
        mart: 'commission_lines',
        columns: Object.keys(Commission.shape).join(', '),
        filters: [
          { condition: 'partner_id = $value', value: query.partner },
          { condition: 'status = $value', value: query.status },
          { condition: 'month = cast($value as date)', value: query.month },
        ],
        order: [
          { column: 'earned_at', type: 'timestamp', direction: 'desc' },
          { column: 'line_id', type: 'text', direction: 'asc' },
        ],
        row: Commission,
        place: (line) => [line.earned_at, line.line_id],
      },
      { asOf: query.as_of, cursor: query.cursor, limit: query.limit },
    );
    return {
      run_id: page.run.runId,
      as_of: page.run.asOf,
      commissions: [...page.rows],
      next_cursor: page.nextCursor,
    };
  },
});
