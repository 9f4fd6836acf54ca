import { Option, type Command } from 'commander';
import { z } from 'zod';
import { countArgument, instantArgument, monthArgument } from '../arguments.js';
import { withClient } from '../command.js';
import { withExamples } from '../help.js';
import { showMoney, showPpm } from '../numbers.js';
import { table } from '../output.js';
import { listText, readList } from '../pages.js';

const Commission = z.looseObject({
  line_id: z.string(),
  partner_id: z.string(),
  program_id: z.string(),
  rule_id: z.string().nullable(),
  org_id: z.string().nullable(),
  kind: z.string(),
  base_minor: z.string().nullable(),
  rate_ppm: z.string().nullable(),
  amount_minor: z.string(),
  currency: z.string(),
  earned_at: z.string(),
  hold_until: z.string().nullable(),
  status: z.string(),
  reason: z.string().nullable(),
  is_assumed: z.boolean(),
});
type Commission = z.infer<typeof Commission>;

interface Options {
  readonly partner?: string;
  readonly status?: string;
  readonly month?: string;
  readonly asOf?: string;
  readonly limit: number;
}

export function addPartnersCommand(program: Command): void {
  const partners = program.command('partners').description('partners and what they earn');
  withExamples(partners, 'headgate partners commissions --status due');
  const commissions = partners
    .command('commissions')
    .description('commission lines, newest first, each with its rule and reason')
    .option('--partner <partner>', 'only those of one partner')
    .addOption(new Option('--status <status>', 'only these').choices(['held', 'due', 'blocked']))
    .option('--month <month>', 'earned in this month, as 2026-09', monthArgument)
    .option('--as-of <instant>', 'from the run measured as of this instant', instantArgument)
    .option('--limit <rows>', 'at most so many', countArgument, 50)
    .action(listCommissions);
  withExamples(
    commissions,
    'headgate partners commissions --status due',
    'headgate partners commissions --partner partner_3 --month 2026-09',
  );
}

async function listCommissions(options: Options, command: Command): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const { partner, status, month, asOf, limit } = options;
    const list = await readList(
      client,
      { path: '/v1/commissions', query: { partner, status, month, as_of: asOf } },
      { rows: 'commissions', row: Commission, limit },
    );
    output.answer(list.answer, () => listText(list, commissionTable(list.rows), 'no commissions here'));
  });
}

function commissionTable(lines: readonly Commission[]): string {
  return table(
    ['earned', 'partner', 'program', 'rule', 'org', 'kind', 'base', 'rate', 'amount', 'status', 'until', ''],
    lines.map((line) => [
      line.earned_at.slice(0, 10),
      line.partner_id,
      line.program_id,
      line.rule_id ?? '–',
      line.org_id ?? '–',
      line.kind,
      line.base_minor === null ? '–' : showMoney(BigInt(line.base_minor), line.currency),
      line.rate_ppm === null ? '–' : showPpm(BigInt(line.rate_ppm)),
      showMoney(BigInt(line.amount_minor), line.currency),
      line.status,
      line.hold_until ?? '–',
      [line.reason, line.is_assumed ? 'assumed rate' : null].filter((note) => note !== null).join('; '),
    ]),
    ['left', 'left', 'left', 'left', 'left', 'left', 'right', 'right', 'right', 'left', 'left', 'left'],
  );
}
