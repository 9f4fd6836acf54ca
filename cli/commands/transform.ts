import type { Command } from 'commander';
import { z } from 'zod';
import { instantArgument } from '../arguments.js';
import { withClient } from '../command.js';
import { withExamples } from '../help.js';
import { showCount } from '../numbers.js';

export const RunAnswer = z.looseObject({
  run_id: z.string(),
  status: z.string(),
  as_of: z.string(),
  started_at: z.string(),
  is_incremental: z.boolean(),
  event_counts: z.record(z.string(), z.number()).nullable(),
  timings: z.record(z.string(), z.number()).nullable(),
});

export function addTransformCommand(program: Command): void {
  const transform = program
    .command('transform')
    .description('build, test and publish the marts from all events up to now')
    .option(
      '--as-of <instant>',
      'measure as of this instant, as 2026-10-01 or 2026-10-01T12:00:00Z (default: now)',
      instantArgument,
    )
    .option('--full-refresh', 'build the kept facts anew, not only what changed')
    .action(async (options: { asOf?: string; fullRefresh?: boolean }, command: Command) => {
      await withClient(command, async (client, { output }) => {
        const run = await client.call(
          {
            method: 'POST',
            path: '/v1/runs',
            json: { as_of: options.asOf, full_refresh: options.fullRefresh === true },
          },
          RunAnswer,
        );
        output.answer(run, () => {
          const events = Object.values(run.event_counts ?? {}).reduce((sum, count) => sum + count, 0);
          const ms = Object.entries(run.timings ?? {}).reduce(
            (sum, [name, value]) => (name.endsWith('_ms') ? sum + value : sum),
            0,
          );
          return `run ${run.run_id} published: as of ${run.as_of}, ${showCount(BigInt(events))} events, ${(ms / 1000).toFixed(1)} s`;
        });
      });
    });
  withExamples(transform, 'headgate transform', 'headgate transform --as-of 2026-10-01');
}
