import { z } from '@hono/zod-openapi';
import { Purse } from '../../billing/adjustments/credits.js';
import type { KeptBillLine } from '../../billing/overage-run/bill-store.js';
import { newestEntryOf } from '../../billing/overage-run/read-bills.js';
import { explainOverageLine, type PurseOf } from '../../billing/preview-overage.js';
import { dateIn } from '../../core/calendar.js';
import { formatDate, startOfMonth } from '../../core/time.js';
import { rulingCatalog } from '../catalog/ruling-catalog.js';
import { operation } from '../operation.js';
import { InstantAnswer, InstantArgument, InstantText, MonthArgument } from '../shapes.js';
import { billingMonth } from '../../billing/billing-month.js';
import { billsGuesses, purseOf } from './credit-purse.js';
import { OverageLineShape, overageLineShape } from './overage-line-shape.js';

const MeteredEvent = z.object({
  source: z.string(),
  event_id: z.string(),
  at: InstantText,
  quantity: z.string(),
});

/** With what credits had left, and whether guesses counted, when it was billed. */
function asBilled({ orgId, subscriptionId, creditsLeft, mode }: KeptBillLine) {
  const purse: PurseOf = (credits) => Purse.holding(credits, creditsLeft ?? {});
  return { orgId, subscriptionId, purse, billsGuesses: mode === 'test' };
}

export const explainBillingLine = operation({
  method: 'get',
  path: '/v1/billing/lines/{lineId}',
  scope: 'billing:read',
  tag: 'Billing',
  summary:
    'The events behind one line of a preview, each with the quantity it put in (0 for a value that counts already, the level for what is one)',
  params: z.object({ lineId: z.string().min(1).max(80) }),
  query: z.strictObject({
    month: MonthArgument.optional().openapi({
      description:
        'As the preview had it. Default: the line’s own once it was billed, else the last that was over.',
    }),
    as_of: InstantArgument.optional(),
  }),
  answer: z.object({
    run_id: z.string(),
    as_of: InstantAnswer,
    month: z.string(),
    line: OverageLineShape,
    events: z.array(MeteredEvent),
  }),
  problems: ['not_found', 'no_catalog', 'no_run', 'no_run_as_of'],

  async handle({ params, query }, { services }) {
    // A line that was billed is explained from what it was billed from, unless somebody asks for another run or month.
    const isAsked = query.month !== undefined || query.as_of !== undefined;
    const billed = isAsked ? null : await newestEntryOf(services.sql, params.lineId);
    const choice = billed === null ? { asOf: query.as_of } : { runId: billed.runId };
    return services.runs.withRun(choice, async ({ run, reader }) => {
      const { catalog } = await rulingCatalog(services.catalogs, run.asOf);
      // An end is exclusive: a period that ends as October begins ended in September.
      const month =
        billed === null ? query.month : formatDate(startOfMonth(dateIn(billed.periodEnd - 1n, catalog.zone)));
      const { first, ending } = billingMonth(month, run.asOf, catalog.zone);
      const { line, events } = await explainOverageLine(
        reader,
        {
          ...{ catalogs: await services.catalogs.published(), ending, asOf: run.asOf },
          month: first.slice(0, 7),
          ...(billed === null
            ? { purse: purseOf(services, ending, null), billsGuesses: billsGuesses(services) }
            : asBilled(billed)),
          choicesIn: await services.quota.choices(),
        },
        params.lineId,
      );
      return {
        run_id: run.runId,
        as_of: run.asOf,
        month: first.slice(0, 7),
        line: overageLineShape(line),
        events: events.map(({ source, eventId, at, quantity }) => ({
          source,
          event_id: eventId,
          at,
          quantity,
        })),
      };
    });
  },
});
