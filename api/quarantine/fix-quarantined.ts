import { z } from '@hono/zod-openapi';
import { fixQuarantined as fix } from '../../ingest/quarantine.js';
import { actorOf } from '../actor.js';
import { operation } from '../operation.js';
import { Quarantined, QuarantineId, quarantinedShape } from './quarantined-shape.js';

export const fixQuarantined = operation({
  method: 'post',
  path: '/v1/quarantine/{quarantineId}/fix',
  scope: 'quarantine',
  tag: 'Quarantine',
  summary: 'Send what should have been sent, and close the case once it is durable',
  params: z.object({ quarantineId: QuarantineId }),
  rawBody: {
    mediaTypes: ['application/json', 'application/cloudevents+json', 'application/cloudevents-batch+json'],
    description: 'The event as it should have been, or an array of them where one line stands for several.',
    read: 'whole',
  },
  bodyBytes: (limits) => limits.bodyBytes,
  answer: Quarantined,
  problems: ['quarantine_not_found', 'invalid_event', 'invalid_json', 'queue_full', 'disk_full'],

  async handle({ params }, context) {
    const { services, bytes, now } = context;
    const { quarantineId } = params;
    const dependencies = { ...services.ingest, audit: services.audit };
    await fix(quarantineId, bytes, actorOf(context), dependencies, now);
    return quarantinedShape(await services.ingest.quarantine.get(quarantineId));
  },
});
