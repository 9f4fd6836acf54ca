import { z } from '@hono/zod-openapi';
import { operation } from '../operation.js';
import { Quarantined, QuarantineId, quarantinedShape, RawBytes, rawBytes } from './quarantined-shape.js';

export const getQuarantined = operation({
  method: 'get',
  path: '/v1/quarantine/{quarantineId}',
  scope: 'quarantine',
  tag: 'Quarantine',
  summary: 'One event that did not pass: every problem found, and the bytes as they came',
  params: z.object({ quarantineId: QuarantineId }),
  answer: z.object({
    event: Quarantined,
    problems: z.array(z.object({ path: z.string(), code: z.string(), message: z.string() })),
    raw: RawBytes,
  }),
  problems: ['quarantine_not_found'],

  async handle({ params }, { services }) {
    const event = await services.ingest.quarantine.get(params.quarantineId);
    return { event: quarantinedShape(event), problems: event.problems, raw: rawBytes(event.raw) };
  },
});
