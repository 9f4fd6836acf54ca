import { z } from '@hono/zod-openapi';
import { replayQuarantined } from '../../ingest/quarantine.js';
import { actorOf } from '../actor.js';
import { operation } from '../operation.js';

export const replayQuarantine = operation({
  method: 'post',
  path: '/v1/quarantine/replay',
  scope: 'quarantine',
  tag: 'Quarantine',
  summary: 'Send open events through again as they are: a clock was wrong, or a schema has grown',
  body: z.strictObject({
    reason: z.string().max(80).optional(),
    source: z.string().max(300).optional(),
  }),
  answer: z.object({ replayed: z.int(), still_open: z.int() }),
  problems: ['queue_full', 'disk_full'],

  async handle({ body }, context) {
    const { services, now } = context;
    const { replayed, stillOpen } = await replayQuarantined(
      {
        ...(body.reason === undefined ? {} : { reason: body.reason }),
        ...(body.source === undefined ? {} : { sourceName: body.source }),
      },
      actorOf(context),
      { ...services.ingest, audit: services.audit },
      now,
    );
    return { replayed, still_open: stillOpen };
  },
});
