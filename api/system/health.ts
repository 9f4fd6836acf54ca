import { z } from '@hono/zod-openapi';
import { operation } from '../operation.js';

/** Says that the process answers, and nothing of what it needs: a restart would not mend a full disk. */
export const health = operation({
  method: 'get',
  path: '/healthz',
  scope: 'public',
  tag: 'System',
  summary: 'Is the process alive?',
  answer: z.object({ status: z.literal('ok') }),

  handle: () => Promise.resolve({ status: 'ok' as const }),
});
