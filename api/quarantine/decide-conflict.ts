import { z } from '@hono/zod-openapi';
import { decideConflict as decide } from '../../ingest/conflicts.js';
import { actorOf } from '../actor.js';
import { operation } from '../operation.js';
import { ConflictShape, conflictShape } from './conflict-shape.js';

export const decideConflict = operation({
  method: 'post',
  path: '/v1/quarantine/conflicts/{conflictId}/decide',
  scope: 'quarantine',
  tag: 'Quarantine',
  summary: 'Say which of the two stands, from the next transform on, in all later ones',
  params: z.object({ conflictId: z.string().max(80) }),
  body: z.strictObject({
    decision: z.enum(['first', 'other']),
    reason: z.string().trim().min(1).max(500),
  }),
  answer: ConflictShape,
  problems: ['not_found'],

  async handle({ params, body }, context) {
    const { services, now } = context;
    const { decision, reason } = body;
    const conflict = await decide(
      { sql: services.sql, audit: services.audit },
      params.conflictId,
      { decision, actor: actorOf(context), reason },
      now,
    );
    return conflictShape(conflict);
  },
});
