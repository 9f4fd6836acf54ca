import { z } from '@hono/zod-openapi';
import { QUARANTINE_STATUSES } from '../../ingest/quarantine-store.js';
import { openCursor, sealCursor } from '../cursor.js';
import { operation } from '../operation.js';
import { Cursor, Limit, NextCursor } from '../shapes.js';
import { Quarantined, quarantinedShape } from './quarantined-shape.js';

const Place = z.tuple([z.string()]);

export const listQuarantine = operation({
  method: 'get',
  path: '/v1/quarantine',
  scope: 'quarantine',
  tag: 'Quarantine',
  summary: 'Events that did not pass, oldest first, with the reason and the field',
  query: z.strictObject({
    status: z.enum(QUARANTINE_STATUSES).default('open'),
    reason: z.string().max(80).optional(),
    source: z.string().max(300).optional(),
    limit: Limit(500, 50),
    cursor: Cursor.optional(),
  }),
  answer: z.object({ events: z.array(Quarantined), count: z.int(), next_cursor: NextCursor }),
  problems: ['invalid_cursor'],

  async handle({ query }, { services }) {
    const filter = {
      status: query.status,
      ...(query.reason === undefined ? {} : { reason: query.reason }),
      ...(query.source === undefined ? {} : { sourceName: query.source }),
    };
    const name = JSON.stringify(['quarantine', filter]);
    const [cursor] = query.cursor === undefined ? [] : openCursor(name, query.cursor, Place);
    const { quarantine } = services.ingest;
    const page = await quarantine.list(filter, { cursor, limit: query.limit });
    return {
      events: page.events.map(quarantinedShape),
      count: await quarantine.count(filter),
      next_cursor: page.nextCursor === null ? null : sealCursor(name, [page.nextCursor]),
    };
  },
});
