import type { Command } from 'commander';
import { z } from 'zod';
import { instantArgument } from '../arguments.js';
import { withClient } from '../command.js';
import { withExamples } from '../help.js';
import { originOf } from '../pages.js';
import { OverageLine, overageTable } from './overage-text.js';

const UsageAnswer = z.looseObject({
  run_id: z.string(),
  as_of: z.string(),
  is_live: z.boolean(),
  usage: z.array(OverageLine),
});

export function addUsageCommand(program: Command): void {
  const usage = program
    .command('usage')
    .argument('<org>', 'its id: the subject of its events')
    .description('what an org has used in its open periods, what is included and what is over')
    .option(
      '--as-of <instant>',
      'in the run measured as of this instant (default: now, with what came in since the run)',
      instantArgument,
    )
    .action(showUsage);
  withExamples(usage, 'headgate usage org_12', 'headgate usage org_12 --json');
}

async function showUsage(orgId: string, options: { asOf?: string }, command: Command): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const answer = await client.call(
      { path: `/v1/usage/${encodeURIComponent(orgId)}`, query: { as_of: options.asOf } },
      UsageAnswer,
    );
    const body =
      answer.usage.length === 0
        ? 'no meters: the org has no subscription with metered usage now'
        : overageTable(answer.usage);
    const since = answer.is_live ? ' and what came in since' : '';
    output.answer(answer, () => `${body}\n\n${originOf(answer.as_of, answer.run_id)}${since}`);
  });
}
