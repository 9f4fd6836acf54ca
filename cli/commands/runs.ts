import type { Command } from 'commander';
import { z } from 'zod';
import { countArgument } from '../arguments.js';
import { withClient } from '../command.js';
import { withExamples } from '../help.js';
import { showCount } from '../numbers.js';
import { table } from '../output.js';
import { listText, readList } from '../pages.js';

const Run = z.looseObject({
  run_id: z.string(),
  status: z.string(),
  as_of: z.string(),
  started_at: z.string(),
  finished_at: z.string().nullable(),
  catalog_version: z.number().nullable(),
  is_incremental: z.boolean(),
  is_historical: z.boolean(),
  event_counts: z.record(z.string(), z.number()).nullable(),
  failure: z.string().nullable(),
});
type Run = z.infer<typeof Run>;

export function addRunsCommand(program: Command): void {
  const runs = program
    .command('runs')
    .description('the builds of the marts, newest first')
    .option('--limit <rows>', 'at most so many', countArgument, 20)
    .action(async ({ limit }: { limit: number }, command: Command) => {
      await withClient(command, async (client, { output }) => {
        const list = await readList(client, { path: '/v1/runs' }, { rows: 'runs', row: Run, limit });
        output.answer(list.answer, () =>
          listText(list, runTable(list.rows), 'no runs yet; make one with: headgate transform'),
        );
      });
    });
  withExamples(runs, 'headgate runs', 'headgate runs --limit 3 --json');
}

function runTable(runs: readonly Run[]): string {
  return table(
    ['run', 'as of', 'status', 'kind', 'events', 'catalog', 'seconds', ''],
    runs.map((run) => [
      run.run_id,
      run.as_of,
      run.status,
      run.is_historical ? 'historical' : run.is_incremental ? 'incremental' : 'full',
      eventsOf(run),
      run.catalog_version === null ? 'none' : `v${run.catalog_version}`,
      secondsOf(run),
      run.failure?.split('\n', 1)[0] ?? '',
    ]),
    ['left', 'left', 'left', 'left', 'right', 'right', 'right', 'left'],
  );
}

function eventsOf({ event_counts: counts }: Run): string {
  if (counts === null) return '–';
  return showCount(BigInt(Object.values(counts).reduce((sum, count) => sum + count, 0)));
}

function secondsOf({ started_at: startedAt, finished_at: finishedAt }: Run): string {
  return finishedAt === null ? '–' : ((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000).toFixed(1);
}
