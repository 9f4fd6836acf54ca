import type { Command } from 'commander';
import { z } from 'zod';
import { countArgument, instantArgument, monthArgument } from '../arguments.js';
import { withClient } from '../command.js';
import { withExamples } from '../help.js';
import { showMoney, showQuantity } from '../numbers.js';
import { table } from '../output.js';
import { listText, originOf, readList } from '../pages.js';
import { OverageLine, overageTable } from './overage-text.js';

const UsageAnswer = z.looseObject({
  run_id: z.string(),
  as_of: z.string(),
  is_live: z.boolean(),
  usage: z.array(OverageLine),
});

const UsagePeriod = z.looseObject({
  org_id: z.string(),
  meter: z.string(),
  period_start: z.string(),
  period_end: z.string(),
  used: z.string(),
  included: z.string().nullable(),
  overage: z.string(),
  overage_minor: z.string().nullable(),
  currency: z.string().nullable(),
  stop_policy: z.string(),
  status: z.string(),
});
type UsagePeriod = z.infer<typeof UsagePeriod>;

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

export function addUsagePeriodsCommand(program: Command): void {
  const periods = program
    .command('usage-periods')
    .description(
      'usage of all orgs by meter and subscription period: used, included, over, and what that comes to',
    )
    .option(
      '--period <month>',
      'those that ended in it, as 2026-09 (default: those that are open)',
      monthArgument,
    )
    .option('--org <org>', 'only this org')
    .option('--as-of <instant>', 'in the run measured as of this instant', instantArgument)
    .option('--limit <rows>', 'at most so many', countArgument, 200)
    .action(listPeriods);
  withExamples(
    periods,
    'headgate usage-periods --period 2026-09',
    'headgate usage-periods --org org_12 --json',
  );
}

async function listPeriods(
  { period, org, asOf, limit }: { period?: string; org?: string; asOf?: string; limit: number },
  command: Command,
): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const list = await readList(
      client,
      { path: '/v1/usage-periods', query: { month: period, org, as_of: asOf } },
      { rows: 'periods', row: UsagePeriod, limit },
    );
    output.answer(list.answer, () => listText(list, periodsTable(list.rows), 'no metered periods'));
  });
}

function periodsTable(periods: readonly UsagePeriod[]): string {
  return table(
    ['org', 'meter', 'period', 'used', 'included', 'over', 'amount', 'stop', 'status'],
    periods.map((one) => [
      ...[one.org_id, one.meter, `${one.period_start.slice(0, 10)} to ${one.period_end.slice(0, 10)}`],
      ...[showQuantity(one.used), one.included === null ? 'no limit' : showQuantity(one.included)],
      showQuantity(one.overage),
      one.overage_minor === null || one.currency === null
        ? '–'
        : showMoney(BigInt(one.overage_minor), one.currency),
      ...[one.stop_policy, one.status],
    ]),
    ['left', 'left', 'left', 'right', 'right', 'right', 'right', 'left', 'left'],
  );
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
