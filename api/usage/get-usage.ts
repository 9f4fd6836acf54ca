import { z } from '@hono/zod-openapi';
import { orgUsage } from '../../billing/org-usage.js';
import { InputError } from '../../core/errors.js';
import { OverageLineShape, overageLineShape } from '../billing/overage-line-shape.js';
import { operation } from '../operation.js';
import { ForeignId, InstantAnswer, InstantArgument } from '../shapes.js';

const MeterUsage = OverageLineShape.extend({
  remaining: z.string().nullable().openapi({
    description:
      "What can be used before something is over: of today's allowance and the period's. null: without limit",
  }),
  projected: z.string().openapi({
    description:
      'used × whole ÷ elapsed, over the time of the period that is billed; a level stays what it is.',
  }),
}).openapi('MeterUsage');

const OrgRow = z.object({ org_id: z.string() });

export const getUsage = operation({
  method: 'get',
  path: '/v1/usage/{orgId}',
  scope: 'billing:read',
  tag: 'Billing',
  summary: 'What an org has used of each meter in the subscription periods that are open, and what is over',
  description:
    'As of the run: later events count with the next transform. `amount_minor` is what would be due if the period ended now.',
  params: z.object({ orgId: ForeignId }),
  query: z.strictObject({ as_of: InstantArgument.optional() }),
  answer: z.object({
    run_id: z.string(),
    as_of: InstantAnswer,
    usage: z.array(MeterUsage),
  }),
  problems: ['org_not_found', 'no_catalog', 'no_run', 'no_run_as_of'],

  async handle({ params, query }, { services }) {
    return services.runs.withRun({ asOf: query.as_of }, async ({ run, reader }) => {
      const [org] = await reader.query(
        `select org_id from ${reader.relation}.int_orgs where org_id = $org and not is_excluded`,
        { org: params.orgId },
        OrgRow,
      );
      if (org === undefined) {
        throw new InputError('org_not_found', `there is no org ${params.orgId} in this run`, { status: 404 });
      }
      const usage = await orgUsage(await services.catalogs.published(), reader, params.orgId, run.asOf);
      return {
        run_id: run.runId,
        as_of: run.asOf,
        usage: usage.map((meter) => ({
          ...overageLineShape(meter),
          remaining: meter.remaining,
          projected: meter.projected,
        })),
      };
    });
  },
});
