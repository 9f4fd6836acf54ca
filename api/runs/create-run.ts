import { z } from '@hono/zod-openapi';
import { operation } from '../operation.js';
import { InstantArgument } from '../shapes.js';
import { RunShape, runShape } from './run-shape.js';

export const createRun = operation({
  method: 'post',
  path: '/v1/runs',
  scope: 'admin',
  tag: 'Runs',
  summary: 'Build, test and publish the marts; answers when the run is published or has failed',
  description: 'A run whose tests fail is not published: the numbers that were served stay.',
  body: z.strictObject({
    as_of: InstantArgument.optional(),
    full_refresh: z.boolean().default(false),
  }),
  answer: RunShape,
  answerStatus: 201,
  problems: ['transform_failed', 'transform_running', 'python_missing', 'fx_rate_missing'],

  async handle({ body }, { services, log }) {
    const run = await services.transform({
      ...(body.as_of === undefined ? {} : { asOf: body.as_of }),
      fullRefresh: body.full_refresh,
      signal: services.shutdown.signal,
      onProgress: (message) => {
        log().info({ message }, 'transform');
        services.onProgress(message);
      },
    });
    return runShape(run);
  },
});
