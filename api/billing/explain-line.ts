import { z } from '@hono/zod-openapi';
import { explainOverageLine } from '../../billing/preview-overage.js';
import { rulingCatalog } from '../catalog/ruling-catalog.js';
import { operation } from '../operation.js';
import { InstantAnswer, InstantArgument, InstantText, MonthArgument } from '../shapes.js';
import { billingMonth } from './billing-month.js';
import { OverageLineShape, overageLineShape } from './overage-line-shape.js';

const MeteredEvent = z.object({
  source: z.string(),
  event_id: z.string(),
  at: InstantText,
  quantity: z.string(),
});

export const explainBillingLine = operation({
  method: 'get',
  path: '/v1/billing/lines/{lineId}',
  scope: 'billing:read',
  tag: 'Billing',
  summary:
    'The events behind one line of a preview; their quantities add up to what was used (the highest, for a level)',
  params: z.object({ lineId: z.string().min(1).max(80) }),
  query: z.strictObject({
    month: MonthArgument.optional().openapi({
      description: 'As the preview had it. Default: the last that was over.',
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
    return services.runs.withRun({ asOf: query.as_of }, async ({ run, reader }) => {
      const { catalog } = await rulingCatalog(services.catalogs, run.asOf);
      const { first, ending } = billingMonth(query.month, run.asOf, catalog.zone);
      const { line, events } = await explainOverageLine(
        reader,
        {
          catalogs: await services.catalogs.published(),
          choiceAt: await services.quota.choices(),
          ...{ ending, asOf: run.asOf, month: first.slice(0, 7) },
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
