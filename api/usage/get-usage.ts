import { z } from '@hono/zod-openapi';
import { orgUsage, usageOf, type MeterUsage as UsedMeter } from '../../billing/org-usage.js';
import { readLiveUsage } from '../../billing/quota/live-usage.js';
import { InputError } from '../../core/errors.js';
import { watermarkJson } from '../../core/raw-event.js';
import type { Instant } from '../../core/time.js';
import { OverageLineShape, overageLineShape } from '../billing/overage-line-shape.js';
import { operation } from '../operation.js';
import type { Services } from '../services.js';
import { Flag, ForeignId, InstantAnswer, InstantArgument } from '../shapes.js';

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
    'Now: what the run has, and all that came in since. With `as_of`, or `live=false`, as of a run. `amount_minor` is what would be due ' +
    'if the period ended then.',
  params: z.object({ orgId: ForeignId }),
  query: z.strictObject({
    as_of: InstantArgument.optional(),
    live: Flag.optional().openapi({ description: 'Without `as_of`: true where it is left out.' }),
  }),
  answer: z.object({
    run_id: z.string(),
    as_of: InstantAnswer,
    is_live: z.boolean().openapi({ description: 'Whether what came in after the run is counted' }),
    watermark: z.record(z.string(), z.array(z.tuple([z.int(), z.int()]))).openapi({
      description: 'The positions of the log up to which events are counted, by stream: [partition, offset]',
    }),
    usage: z.array(MeterUsage),
  }),
  problems: ['org_not_found', 'no_catalog', 'no_run', 'no_run_as_of', 'invalid_argument'],

  async handle({ params, query }, { services, now }) {
    if (query.as_of !== undefined && query.live === true) {
      throw new InputError(
        'invalid_argument',
        'query: as_of asks for a run, so it can’t be live; leave one out',
      );
    }
    const isLive = query.as_of === undefined && query.live !== false;
    const answer = isLive
      ? await liveAnswer(services, params.orgId, now)
      : await runAnswer(services, params.orgId, query.as_of);
    return { ...answer, is_live: isLive };
  },
});

async function liveAnswer({ quota }: Services, orgId: string, now: Instant) {
  const live = await readLiveUsage(quota.sources, [orgId], now);
  const org = live.orgs.get(orgId);
  if (org === undefined || org.isExcluded) throw noOrg(orgId);
  return {
    run_id: live.runId,
    as_of: now,
    watermark: watermarkJson(live.until),
    usage: usageOf(live.questions, live.usage.now, now + 1n).map(meterShape),
  };
}

function runAnswer({ runs, catalogs, quota }: Services, orgId: string, asOf: Instant | undefined) {
  return runs.withRun({ asOf }, async ({ run, reader }) => {
    const [org] = await reader.query(
      `select org_id from ${reader.relation}.int_orgs where org_id = $org and not is_excluded`,
      { org: orgId },
      OrgRow,
    );
    if (org === undefined) throw noOrg(orgId);
    const usage = await orgUsage(await catalogs.published(), reader, orgId, run.asOf, await quota.choices());
    return {
      run_id: run.runId,
      as_of: run.asOf,
      watermark: watermarkJson(run.watermark),
      usage: usage.map(meterShape),
    };
  });
}

function noOrg(orgId: string): InputError {
  return new InputError('org_not_found', `there is no org ${orgId} in this run`, { status: 404 });
}

function meterShape(meter: UsedMeter): z.input<typeof MeterUsage> {
  return { ...overageLineShape(meter), remaining: meter.remaining, projected: meter.projected };
}
