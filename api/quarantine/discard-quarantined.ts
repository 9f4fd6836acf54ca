import { z } from '@hono/zod-openapi';
import { discardQuarantined as discard } from '../../ingest/quarantine.js';
import { actorOf } from '../actor.js';
import { operation } from '../operation.js';
import { Quarantined, QuarantineId, quarantinedShape } from './quarantined-shape.js';

export const discardQuarantined = operation({
  method: 'post',
  path: '/v1/quarantine/{quarantineId}/discard',
  scope: 'quarantine',
  tag: 'Quarantine',
  summary: 'Give an event up, on the record',
  params: z.object({ quarantineId: QuarantineId }),
  body: z.strictObject({ reason: z.string().trim().min(1).max(500) }),
  answer: Quarantined,
  problems: ['quarantine_not_found'],

  async handle({ params, body }, context) {
    const { services, now } = context;
    const { quarantineId } = params;
    const dependencies = { ...services.ingest, audit: services.audit };
    await discard(quarantineId, { reason: body.reason, actor: actorOf(context) }, dependencies, now);
    return quarantinedShape(await services.ingest.quarantine.get(quarantineId));
  },
});
