import type { Command } from 'commander';
import { z } from 'zod';
import { countArgument, instantArgument } from '../arguments.js';
import { withClient } from '../command.js';
import { withExamples } from '../help.js';
import { showCount, showMoney } from '../numbers.js';
import { table } from '../output.js';
import { listText, originOf, readList } from '../pages.js';

const Money = z.looseObject({
  currency: z.string(),
  mrr_minor: z.string(),
  revenue_minor: z.string(),
  margin_minor: z.string(),
});
const Org = z.looseObject({
  org_id: z.string(),
  name: z.string().nullable(),
  segment: z.string(),
  country: z.string(),
  plan_id: z.string(),
  active_installs: z.number(),
  executions: z.number(),
  money: z.array(Money),
});
type Org = z.infer<typeof Org>;

const OrgAnswer = z.looseObject({
  run_id: z.string(),
  as_of: z.string(),
  org: Org,
  months: z.array(
    z.looseObject({
      month: z.string(),
      plan_id: z.string(),
      active_installs: z.number(),
      executions: z.number(),
      money: z.array(Money),
    }),
  ),
  installs: z.array(
    z.looseObject({
      install_id: z.string(),
      package_id: z.string(),
      created_at: z.string(),
      first_value_at: z.string().nullable(),
      ended_at: z.string().nullable(),
    }),
  ),
});
type OrgAnswer = z.infer<typeof OrgAnswer>;

interface ListOptions {
  readonly segment?: string;
  readonly plan?: string;
  readonly asOf?: string;
  readonly limit: number;
}

export function addOrgsCommand(program: Command): void {
  const orgs = program.command('orgs').description('customer orgs: plan, money, installs');
  withExamples(orgs, 'headgate orgs list --plan growth', 'headgate orgs show org_12');
  const list = orgs
    .command('list')
    .description('customer orgs with their last month, by id')
    .option('--segment <segment>', 'only those of one segment')
    .option('--plan <plan>', 'only those on one plan')
    .option('--as-of <instant>', 'from the run measured as of this instant', instantArgument)
    .option('--limit <rows>', 'at most so many', countArgument, 50)
    .action(listOrgs);
  withExamples(list, 'headgate orgs list', 'headgate orgs list --plan growth --limit 500 --json');
  const show = orgs
    .command('show')
    .argument('<org>', 'its id: the subject of its events')
    .description('one org: its last twelve months and its installs')
    .option('--as-of <instant>', 'from the run measured as of this instant', instantArgument)
    .action(showOrg);
  withExamples(show, 'headgate orgs show org_12', 'headgate orgs show org_12 --json');
}

async function listOrgs(options: ListOptions, command: Command): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const { segment, plan, asOf, limit } = options;
    const list = await readList(
      client,
      { path: '/v1/orgs', query: { segment, plan, as_of: asOf } },
      { rows: 'orgs', row: Org, limit },
    );
    output.answer(list.answer, () => listText(list, orgTable(list.rows), 'no orgs here'));
  });
}

const amounts = (money: Org['money'], field: 'mrr_minor' | 'revenue_minor' | 'margin_minor'): string =>
  money.map((each) => showMoney(BigInt(each[field]), each.currency)).join(', ') || '–';

function orgTable(orgs: readonly Org[]): string {
  return table(
    ['org', 'name', 'segment', 'country', 'plan', 'installs', 'MRR'],
    orgs.map((org) => [
      org.org_id,
      org.name ?? '–',
      org.segment,
      org.country,
      org.plan_id,
      showCount(BigInt(org.active_installs)),
      amounts(org.money, 'mrr_minor'),
    ]),
    ['left', 'left', 'left', 'left', 'left', 'right', 'right'],
  );
}

async function showOrg(orgId: string, options: { asOf?: string }, command: Command): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const answer = await client.call(
      { path: `/v1/orgs/${encodeURIComponent(orgId)}`, query: { as_of: options.asOf } },
      OrgAnswer,
    );
    output.answer(answer, () => describeOrg(answer));
  });
}

function describeOrg({ org, months, installs, as_of: asOf, run_id: runId }: OrgAnswer): string {
  const life = table(
    ['month', 'plan', 'installs', 'executions', 'MRR', 'revenue', 'margin'],
    months.map((month) => [
      month.month.slice(0, 7),
      month.plan_id,
      showCount(BigInt(month.active_installs)),
      showCount(BigInt(month.executions)),
      amounts(month.money, 'mrr_minor'),
      amounts(month.money, 'revenue_minor'),
      amounts(month.money, 'margin_minor'),
    ]),
    ['left', 'left', 'right', 'right', 'right', 'right', 'right'],
  );
  const installed = table(
    ['install', 'package', 'installed', 'first value', 'ended'],
    installs.map((install) => [
      install.install_id,
      install.package_id,
      install.created_at,
      install.first_value_at ?? 'not yet',
      install.ended_at ?? '–',
    ]),
  );
  const name = org.name === null ? '' : ` (${org.name})`;
  return [
    `${org.org_id}${name}: segment ${org.segment}, country ${org.country}, plan ${org.plan_id}`,
    '',
    months.length === 0 ? 'no months yet' : life,
    '',
    installs.length === 0 ? 'no installs' : installed,
    '',
    originOf(asOf, runId),
  ].join('\n');
}
