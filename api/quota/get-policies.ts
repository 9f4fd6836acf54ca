import { z } from '@hono/zod-openapi';
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

  async handle({ params }, { services, now }) {
    return { choices: (await choicesInForce(services.sql, params.orgId, now)).map(stopChoiceShape) };
  },
});
