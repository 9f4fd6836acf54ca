import { z } from '@hono/zod-openapi';
import { requireKnownOrg } from '../../billing/quota/org-state.js';
import { choicesInForce } from '../../billing/quota/stop-choices.js';
import { operation } from '../operation.js';
import { ForeignId } from '../shapes.js';
import { StopChoiceShape, stopChoiceShape } from './policy-shape.js';

export const getStopPolicies = operation({
  method: 'get',
  path: '/v1/quota/policies/{orgId}',
  scope: 'billing:read',
  tag: 'Quotas',
  summary: 'What an org chose for when its limits are reached; where it chose nothing, the catalog says',
  params: z.object({ orgId: ForeignId }),
  answer: z.object({ choices: z.array(StopChoiceShape) }),
  problems: ['org_not_found', 'no_run'],

  async handle({ params: { orgId } }, { services, now }) {
    const choices = await choicesInForce(services.sql, orgId, now);
    // Who chose something is known; of anybody else it must not look as if there were such an org.
    if (choices.length === 0) requireKnownOrg((await services.quota.counters.ask(orgId, now)).state);
    return { choices: choices.map(stopChoiceShape) };
  },
});
