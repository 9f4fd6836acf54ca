import { Argument, Option, type Command } from 'commander';
import { z } from 'zod';
import { countArgument } from '../arguments.js';
import { withClient } from '../command.js';
import { withExamples } from '../help.js';
import { table } from '../output.js';
import { listText, readList } from '../pages.js';

const Position = z.object({ partition: z.number(), offset: z.string() });
const Conflict = z.looseObject({
  conflict_id: z.string(),
  stream: z.string(),
  source: z.string(),
  event_id: z.string(),
  first: Position,
  other: Position,
  status: z.string(),
  decision: z.string().nullable(),
  decided_by: z.string().nullable(),
  found_at: z.string(),
});
type Conflict = z.infer<typeof Conflict>;

/** Conflicts are part of quarantine: accepted events, of which only one can stand. */
export function addConflictCommands(quarantine: Command): void {
  const conflicts = quarantine
    .command('conflicts')
    .description('identities that came with two contents; until somebody decides, the first stands')
    .addOption(new Option('--status <status>', 'which').choices(['open', 'decided']))
    .option('--limit <rows>', 'at most so many', countArgument, 50)
    .action(listConflicts);
  withExamples(conflicts, 'headgate quarantine conflicts --status open');
  const decide = quarantine
    .command('decide')
    .argument('<conflict>', 'as listed: cfl_…')
    .addArgument(new Argument('<which>', 'which of the two stands').choices(['first', 'other']))
    .requiredOption('--reason <text>', 'why; it is kept on record')
    .description('say which of two contents stands, from the next transform on')
    .action(decideConflict);
  withExamples(decide, 'headgate quarantine decide cfl_0a1b2c other --reason "the first had a wrong amount"');
}

async function listConflicts(options: { status?: string; limit: number }, command: Command): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const { status, limit } = options;
    const list = await readList(
      client,
      { path: '/v1/quarantine/conflicts', query: { status } },
      { rows: 'conflicts', row: Conflict, limit },
    );
    const body = table(
      ['conflict', 'stream', 'source', 'event', 'first at', 'other at', 'stands', 'by'],
      list.rows.map((conflict) => [
        conflict.conflict_id,
        conflict.stream,
        conflict.source,
        conflict.event_id,
        conflict.first.offset,
        conflict.other.offset,
        conflict.decision ?? 'first (nobody decided)',
        conflict.decided_by ?? '–',
      ]),
      ['left', 'left', 'left', 'left', 'right', 'right'],
    );
    output.answer(list.answer, () => listText(list, body, 'no conflicts; each transform looks for them'));
  });
}

async function decideConflict(
  id: string,
  decision: string,
  { reason }: { reason: string },
  command: Command,
): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const conflict: Conflict = await client.call(
      {
        method: 'POST',
        path: `/v1/quarantine/conflicts/${encodeURIComponent(id)}/decide`,
        json: { decision, reason },
      },
      Conflict,
    );
    output.answer(
      conflict,
      () => `${conflict.conflict_id}: the ${conflict.decision ?? ''} one stands from the next transform on`,
    );
  });
}
