import { z } from '@hono/zod-openapi';
import { listRuns as readRuns } from '../../transforms/run-store.js';
import { operation } from '../operation.js';
import { Cursor, Limit } from '../shapes.js';
import { RunShape, runShape } from './run-shape.js';

export const listRuns = operation({
  method: 'get',
  path: '/v1/runs',
  scope: 'metrics:read',
  tag: 'Runs',
  summary: 'Runs, newest first',
  query: z.object({ limit: Limit(200, 20), cursor: Cursor.optional() }),
  answer: z.object({ runs: z.array(RunShape), next_cursor: z.string().nullable() }),

  async handle({ query }, { services }) {
    const page = await readRuns(services.sql, {
      limit: query.limit + 1,
      ...(query.cursor === undefined ? {} : { before: query.cursor }),
    });
    const runs = page.slice(0, query.limit);
    return {
      runs: runs.map(runShape),
      next_cursor: page.length > query.limit ? (runs.at(-1)?.runId ?? null) : null,
    };
  },
});
