import { z } from '@hono/zod-openapi';
import { listConflicts as readConflicts } from '../../ingest/conflicts.js';
import { openCursor, sealCursor } from '../cursor.js';
import { operation } from '../operation.js';
import { Cursor, Limit, NextCursor } from '../shapes.js';
import { ConflictShape, conflictShape } from './conflict-shape.js';

const Place = z.tuple([z.string()]);

export const listConflicts = operation({
  method: 'get',
  path: '/v1/quarantine/conflicts',
  scope: 'quarantine',
  tag: 'Quarantine',
  summary: 'Identities that came with two contents, oldest first, as the last transform found them',
  query: z.strictObject({
    status: z.enum(['open', 'decided']).optional(),
    limit: Limit(500, 50),
    cursor: Cursor.optional(),
  }),
  answer: z.object({ conflicts: z.array(ConflictShape), next_cursor: NextCursor }),
  problems: ['invalid_cursor'],

  async handle({ query }, { services }) {
    const name = JSON.stringify(['conflicts', query.status]);
    const [cursor] = query.cursor === undefined ? [] : openCursor(name, query.cursor, Place);
    const page = await readConflicts(services.sql, {
      ...(query.status === undefined ? {} : { status: query.status }),
      cursor,
      limit: query.limit,
    });
    return {
      conflicts: page.conflicts.map(conflictShape),
      next_cursor: page.nextCursor === null ? null : sealCursor(name, [page.nextCursor]),
    };
  },
});
