import { z } from '@hono/zod-openapi';
import { actorOf } from '../actor.js';
import { operation } from '../operation.js';
import { keyShape, KeyShape } from './key-shape.js';

export const revokeKey = operation({
  method: 'delete',
  path: '/v1/keys/{keyId}',
  scope: 'admin',
  tag: 'Keys',
  summary: 'Revoke a key; it is refused from the next request on',
  params: z.object({ keyId: z.string().max(80) }),
  answer: KeyShape,
  problems: ['not_found'],

  async handle({ params }, context) {
    const { services, now } = context;
    return keyShape(await services.keys.revoke(params.keyId, actorOf(context), now));
  },
});
