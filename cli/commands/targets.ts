import { Option, type Command } from 'commander';
import { z } from 'zod';
import { countArgument, instantArgument } from '../arguments.js';
import { withClient } from '../command.js';
import { withExamples } from '../help.js';
import { showComparator, showFigure } from '../numbers.js';
import { table } from '../output.js';
import { listText, readList } from '../pages.js';

const Target = z.looseObject({
  target_id: z.string(),
  period: z.string(),
  metric: z.string(),
  dimension: z.string().nullable(),
  member: z.string().nullable(),
  owner: z.string().nullable(),
  cadence: z.string().nullable(),
  comparator: z.string(),
  goal: z.string().nullable(),
  actual: z.string().nullable(),
  gap: z.string().nullable(),
  status: z.string(),
  unit: z.string(),
  currency: z.string().nullable(),
  is_assumed: z.boolean(),
  is_owner_assumed: z.boolean().nullish(),
  drill: z.object({ metric: z.string(), question: z.record(z.string(), z.string()) }).nullish(),
});
type Target = z.infer<typeof Target>;

interface Options {
  readonly metric?: string;
  readonly owner?: string;
  readonly status?: string;
  readonly history?: true;
  readonly asOf?: string;
  readonly limit: number;
}

export function addTargetsCommand(program: Command): void {
  const targets = program
    .command('targets')
    .description("the catalog's targets against what happened, in the last month that is over")
    .option('--metric <metric>', 'only those of one metric')
    .option('--owner <owner>', 'only those of one owner')
    .addOption(
      new Option('--status <status>', 'only these').choices(['ahead', 'on track', 'behind', 'no data']),
    )
    .option('--history', 'every month that a target was judged on')
    .option('--as-of <instant>', 'from the run measured as of this instant', instantArgument)
    .option('--limit <rows>', 'at most so many', countArgument, 100)
    .action(listTargets);
  withExamples(
    targets,
    'headgate targets',
    'headgate targets --status behind',
    'headgate targets --metric mrr --history',
  );
}

async function listTargets(options: Options, command: Command): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const { metric, owner, status, history, asOf, limit } = options;
    const list = await readList(
      client,
      {
        path: '/v1/targets',
        query: { metric, owner, status, history: history && 'true', as_of: asOf },
      },
      { rows: 'targets', row: Target, limit },
    );
    output.answer(list.answer, () =>
      listText(list, targetText(list.rows), 'no targets here; a published catalog sets them'),
    );
  });
}

function targetText(targets: readonly Target[]): string {
  const opened = targets.find(({ drill }) => drill != null);
  if (opened?.drill == null) return targetTable(targets);
  const { metric, question } = opened.drill;
  const place = Object.entries(question).map(([name, value]) => argument(`${name}=${value}`));
  return `${targetTable(targets)}\n\nthe events behind an actual, here ${opened.target_id}: headgate drill ${metric} ${place.join(' ')}`;
}

/** Shells read parentheses and more as their own. */
function argument(text: string): string {
  return /^[\w.:=/-]+$/.test(text) ? text : `'${text}'`;
}

function targetTable(targets: readonly Target[]): string {
  return table(
    ['target', 'month', 'metric', 'goal', 'actual', 'gap', 'status', 'owner', 'cadence', ''],
    targets.map((target) => [
      target.target_id,
      target.period.slice(0, 7),
      target.dimension === null || target.dimension === 'all'
        ? target.metric
        : `${target.metric} (${target.dimension} ${target.member ?? ''})`,
      `${showComparator(target.comparator)} ${figure(target.goal, target)}`,
      figure(target.actual, target),
      figure(target.gap, target),
      target.status,
      target.owner ?? '–',
      target.cadence ?? '–',
      assumedMark(target),
    ]),
    ['left', 'left', 'left', 'right', 'right', 'right'],
  );
}

function figure(value: string | null, target: Target): string {
  return showFigure(target.metric, value === null ? null : BigInt(value), target);
}

function assumedMark({ is_assumed: goal, is_owner_assumed: owner }: Target): string {
  if (owner === true) return goal ? 'assumed goal and owner' : 'assumed owner';
  return goal ? 'assumed goal' : '';
}
