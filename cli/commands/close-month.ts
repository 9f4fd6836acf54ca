import type { Command } from 'commander';
import { z } from 'zod';
import { monthArgument } from '../arguments.js';
import { withClient } from '../command.js';
import { withExamples } from '../help.js';

const ClosedMonth = z.object({
  month: z.string(),
  run_id: z.string(),
  run_as_of: z.string(),
  closed_at: z.string(),
  closed_by: z.string(),
});

/** `headgate metrics close MONTH`. */
export function addCloseCommand(metrics: Command): void {
  const close = metrics
    .command('close')
    .argument('<month>', 'a month that is over, as 2026-09', monthArgument)
    .description('close a month on a run: what changes later shows as an adjustment')
    .option('--run <run>', 'the run with this id instead of the current one')
    .action(closeMonth);
  withExamples(close, 'headgate metrics close 2026-09');
}

async function closeMonth(month: string, options: { run?: string }, command: Command): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const closed = await client.call(
      { method: 'POST', path: `/v1/months/${month}/close`, json: { run_id: options.run } },
      ClosedMonth,
    );
    output.answer(
      closed,
      () =>
        `${closed.month.slice(0, 7)} is closed on run ${closed.run_id} (as of ${closed.run_as_of}), ` +
        `by ${closed.closed_by} at ${closed.closed_at}`,
    );
  });
}
