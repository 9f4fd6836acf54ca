import { z } from '@hono/zod-openapi';
import { InputError } from '../../core/errors.js';
import { findRun } from '../../transforms/run-store.js';
import { operation } from '../operation.js';
import { RunShape, runShape } from './run-shape.js';

export const getRun = operation({
  method: 'get',
  path: '/v1/runs/{runId}',
  scope: 'metrics:read',
  tag: 'Runs',
  summary: 'One run: what it measured, up to where in the log, and how it went',
  params: z.object({ runId: z.string().max(80) }),
  answer: RunShape,
  problems: ['run_not_found'],

  async handle({ params }, { services }) {
    const run = await findRun(services.sql, params.runId);
    if (run === null) {
      throw new InputError('run_not_found', `there is no run ${params.runId}; GET /v1/runs lists them`, {
        status: 404,
      });
    }
    return runShape(run);
  },
});
