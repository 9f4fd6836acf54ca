import { z } from '@hono/zod-openapi';
import { listRuns as readRuns } from '../../transforms/run-store.js';
import { openCursor, sealCursor } from '../cursor.js';
import { operation } from '../operation.js';
import { Cursor, Limit, NextCursor } from '../shapes.js';
import { RunShape, runShape } from './run-shape.js';

const LIST = 'runs';
const Place = z.tuple([z.string()]);

export const listRuns = operation({
  method: 'get',
  path: '/v1/runs',
  scope: 'metrics:read',
  tag: 'Runs',
  summary: 'Runs, newest first',
  query: z.strictObject({ limit: Limit(200, 20), cursor: Cursor.optional() }),
  answer: z.object({ runs: z.array(RunShape), next_cursor: NextCursor }),
  problems: ['invalid_cursor'],

  async handle({ query }, { services }) {
    const [before] = query.cursor === undefined ? [] : openCursor(LIST, query.cursor, Place);
    const found = await readRuns(services.sql, {
      limit: query.limit + 1,
      ...(before === undefined ? {} : { before }),
    });
    const runs = found.slice(0, query.limit);
    const last = runs.at(-1);
    return {
      runs: runs.map(runShape),
      next_cursor: found.length > query.limit && last !== undefined ? sealCursor(LIST, [last.runId]) : null,
    };
  },
});
