import type { Command } from 'commander';
import { z } from 'zod';
import { withClient } from '../command.js';
import { withExamples } from '../help.js';
import { showCount } from '../numbers.js';

const ReplayAnswer = z.object({ replayed: z.number(), still_open: z.number() });

export function addReplayCommand(program: Command): void {
  const replay = program
    .command('replay')
    .description('send quarantined events through again as they are: a clock was wrong, a schema has grown')
    .option('--reason <code>', 'only those refused for this reason, as headgate quarantine list shows it')
    .option('--source <name>', 'only those of one file, or http')
    .action(async (options: { reason?: string; source?: string }, command: Command) => {
      await withClient(command, async (client, { output }) => {
        const answer = await client.call(
          { method: 'POST', path: '/v1/quarantine/replay', json: options },
          ReplayAnswer,
        );
        output.answer(answer, () => {
          const [replayed, open] = [showCount(BigInt(answer.replayed)), showCount(BigInt(answer.still_open))];
          return `${replayed} went in; ${open} are still refused and stay in quarantine`;
        });
      });
    });
  withExamples(replay, 'headgate replay --reason time_in_future', 'headgate replay --source events.ndjson');
}
