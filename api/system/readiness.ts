import { z } from '@hono/zod-openapi';
import { sql } from 'drizzle-orm';
import { UnavailableError } from '../../core/errors.js';
import { operation } from '../operation.js';

export const readiness = operation({
  method: 'get',
  path: '/readyz',
  scope: 'public',
  tag: 'System',
  summary: 'Can it take requests now: are the store and the warehouse there?',
  answer: z.object({ status: z.literal('ready') }),
  problems: ['shutting_down', 'sql_unavailable', 'warehouse_unavailable'],

  async handle(_input, { services }) {
    if (services.shutdown.signal.aborted) {
      throw new UnavailableError('shutting_down', 'this process is stopping; ask another one');
    }
    await services.sql.database.execute(sql`select 1`);
    await services.warehouse.query('select 1 as one', {}, z.object({ one: z.number() }));
    return { status: 'ready' as const };
  },
});
