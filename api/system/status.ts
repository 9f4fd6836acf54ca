import { z } from '@hono/zod-openapi';
import { operation } from '../operation.js';
import { Count, InstantAnswer } from '../shapes.js';
import { readStatus } from './read-status.js';

const Backlog = z.object({
  stream: z.string(),
  rows: Count,
  /** Rows that came after what the current run measured. */
  behind: Count,
  last_recorded_at: z.string().nullable(),
});

export const status = operation({
  method: 'get',
  path: '/v1/status',
  scope: 'admin',
  tag: 'System',
  summary: 'What each part holds, which version it is, and how far it is behind: what headgate doctor asks',
  answer: z.object({
    code_revision: z.string(),
    sql: z.object({
      version: z.string(),
      is_server: z
        .boolean()
        .openapi({ description: 'DATABASE_URL names it; false: it runs in this process' }),
      survives_power_cut: z.boolean(),
      audit: z.object({ is_whole: z.boolean(), entries: Count, problem: z.string().nullable() }),
    }),
    warehouse: z.object({
      engine: z.enum(['duckdb', 'clickhouse']),
      version: z.string(),
      streams: z.array(Backlog),
    }),
    log: z
      .object({
        consumer: z
          .object({ state: z.string(), last_error: z.string().nullable(), lost_messages: Count })
          .nullable()
          .openapi({ description: 'Of the process that answers; null where it does not consume.' }),
        lags: z.array(z.object({ stream: z.string(), partition: z.int(), messages: Count })),
      })
      .nullable()
      .openapi({ description: 'Null where the warehouse itself is the log.' }),
    lake: z.object({ parts: z.int(), bytes: z.int() }),
    catalog_version: z.int().nullable(),
    run: z
      .object({ run_id: z.string(), as_of: InstantAnswer, finished_at: InstantAnswer.nullable() })
      .nullable(),
    last_failure: z
      .object({ run_id: z.string(), started_at: InstantAnswer, failure: z.string() })
      .nullable()
      .openapi({ description: 'Set where the newest run failed.' }),
    open: z.object({ quarantined: z.int(), conflicts: z.int() }),
    inbox: z
      .object({
        received: z.int(),
        waiting: z.int(),
        failed: z.int(),
        oldest_at: InstantAnswer.nullable(),
        problem: z.string().nullable(),
      })
      .openapi({
        description:
          'What Stripe told and is not taken care of yet, and what is wrong with the oldest of it.',
      }),
  }),

  handle: (_input, { services }) => readStatus(services),
});
