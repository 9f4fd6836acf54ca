import { z } from '@hono/zod-openapi';
import { addMonths, midnightUtc, parseDate } from '../../core/time.js';
import { closeMonth as close } from '../../transforms/month-pins.js';
import { actorOf } from '../actor.js';
import { operation } from '../operation.js';
import { InstantAnswer, MonthArgument } from '../shapes.js';

export const closeMonth = operation({
  method: 'post',
  path: '/v1/months/{month}/close',
  scope: 'billing:write',
  tag: 'Metrics',
  summary: 'Close a month on a run: what changes later shows as an adjustment, never silently',
  params: z.object({ month: MonthArgument }),
  body: z.strictObject({
    run_id: z.string().max(80).optional().openapi({ description: 'Default: the current run.' }),
  }),
  answer: z.object({
    month: z.string(),
    run_id: z.string(),
    run_as_of: InstantAnswer,
    closed_at: InstantAnswer,
    closed_by: z.string(),
  }),
  problems: ['no_run', 'run_not_found', 'conflict', 'already_exists'],

  async handle({ params, body }, context) {
    const { services, now } = context;
    const run = await services.runs.choose({ runId: body.run_id });
    const by = actorOf(context);
    const monthEnd = midnightUtc(addMonths(parseDate(params.month), 1));
    const pin = await close(services.sql, { month: params.month, monthEnd, run, by }, now);
    if (pin.closedAt === now) {
      await services.audit.append(
        { actor: by, action: 'month.close', target: params.month.slice(0, 7), details: { run: run.runId } },
        now,
      );
    }
    return {
      month: pin.month,
      run_id: pin.runId,
      run_as_of: run.asOf,
      closed_at: pin.closedAt,
      closed_by: pin.closedBy,
    };
  },
});
