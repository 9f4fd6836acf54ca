import { z } from '@hono/zod-openapi';
import { eventTypes } from '../../core/events.js';
import { operation } from '../operation.js';

export const listSchemas = operation({
  method: 'get',
  path: '/v1/schemas',
  scope: 'any_key',
  tag: 'Events',
  summary: 'Every event type: its stream and what it says',
  answer: z.object({
    types: z.array(
      z.object({ type: z.string(), stream: z.string(), summary: z.string(), schema: z.string() }),
    ),
  }),

  handle: () =>
    Promise.resolve({
      types: Object.entries(eventTypes).map(([type, { stream, summary }]) => ({
        type,
        stream: stream === 'target' ? "its target's" : stream,
        summary,
        schema: `/v1/schemas/${type}`,
      })),
    }),
});
