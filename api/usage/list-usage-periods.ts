import { z } from '@hono/zod-openapi';
import { usagePeriods } from '../../billing/ledger/usage-periods.js';
import type { OverageLine } from '../../billing/overage-plan.js';
import { openLinePlace, pageOfLines } from '../billing/line-page.js';
import { billingMonth } from '../../billing/billing-month.js';
import { rulingCatalog } from '../catalog/ruling-catalog.js';
import { operation } from '../operation.js';
import {
  Cursor,
  Digits,
  ForeignId,
  InstantAnswer,
  InstantArgument,
  Limit,
  MonthArgument,
  NextCursor,
} from '../shapes.js';

/** Under the names of the relation `usage_periods`. */
const UsagePeriod = z
  .object({
    line_id: z.string(),
    org_id: z.string(),
    subscription_id: z.string(),
    meter: z.string(),
    period_start: InstantAnswer,
    period_end: InstantAnswer,
    is_open: z.boolean(),
    used: z.string(),
    included: z.string().nullable().openapi({ description: 'null: without limit' }),
    overage: z.string(),
    overage_minor: Digits.nullable().openapi({
      description:
        'What is over, priced; of an open period, if it ended now. null: it can’t be, or is not, billed.',
    }),
    currency: z.string().nullable(),
    stop_policy: z.enum(['hard', 'soft']),
    status: z.enum(['due', 'within', 'stopped', 'unpriced', 'unrated']),
    reason: z.string().nullable(),
    events: z.int(),
  })
  .openapi('UsagePeriod');

export const listUsagePeriods = operation({
  method: 'get',
  path: '/v1/usage-periods',
  scope: 'billing:read',
  tag: 'Billing',
  summary: 'Usage by org, meter and subscription period: used, included, over, and what that comes to',
  description:
    'With `month`: the periods that ended in it (in the catalog’s zone) and are over. Without: those that are open at the run’s as-of. Amounts ' +
    'are of each meter alone, before credits, caps, discounts and minimum commitments.',
  query: z.strictObject({
    month: MonthArgument.optional(),
    org: ForeignId.optional(),
    as_of: InstantArgument.optional(),
    limit: Limit(1_000, 200),
    cursor: Cursor.optional(),
  }),
  answer: z.object({
    run_id: z.string(),
    as_of: InstantAnswer,
    periods: z.array(UsagePeriod),
    next_cursor: NextCursor,
  }),
  problems: ['no_catalog', 'invalid_cursor', 'no_run', 'no_run_as_of', 'run_not_found'],

  async handle({ query: { month, org: orgId, as_of: asOf, limit, cursor } }, { services }) {
    const name = JSON.stringify(['usage periods', month, orgId, asOf?.toString()]);
    const { runId, after } = openLinePlace(name, cursor);
    const run = await services.runs.choose(runId === undefined ? { asOf } : { runId });
    const { catalog } = await rulingCatalog(services.catalogs, run.asOf);
    const ending = month === undefined ? null : billingMonth(month, run.asOf, catalog.zone).ending;
    const catalogs = await services.catalogs.published();
    const choicesIn = await services.quota.choices();
    const lines = await services.runs.read(run, ({ reader }) =>
      usagePeriods(reader, { catalogs, asOf: run.asOf, orgId, choicesIn, ending }),
    );
    const { page, nextCursor } = pageOfLines(lines, after, { name, runId: run.runId, limit });
    return {
      run_id: run.runId,
      as_of: run.asOf,
      periods: page.map((line) => periodShape(line, ending === null)),
      next_cursor: nextCursor,
    };
  },
});

function periodShape(line: OverageLine, isOpen: boolean): z.input<typeof UsagePeriod> {
  return {
    line_id: line.lineId,
    org_id: line.orgId,
    subscription_id: line.subscriptionId,
    meter: line.meterId,
    period_start: line.period.start,
    period_end: line.period.end,
    is_open: isOpen,
    used: line.used,
    included: line.included,
    overage: line.overage,
    overage_minor: line.amount?.amountMinor ?? null,
    currency: line.amount?.currency ?? null,
    stop_policy: line.stopPolicy,
    status: line.status,
    reason: line.reason,
    events: line.events,
  };
}
