import type { Command } from 'commander';
import { z } from 'zod';
import { countArgument, instantArgument, monthArgument } from '../arguments.js';
import { withClient } from '../command.js';
import { withExamples } from '../help.js';
import { showCount, showMoney, showQuantity } from '../numbers.js';
import { table } from '../output.js';
import { listText, originOf, readList, type List } from '../pages.js';
import { addBillingCreditsCommand } from './billing-credits.js';
import { addBillingBackfillCommand } from './billing-backfill.js';
import { addBillingLedgerCommands } from './billing-ledger.js';
import { addBillingRunCommands } from './billing-run.js';
import { addBillingStatusCommands } from './billing-status.js';
import { addLocalStripeCommand } from './local-stripe.js';
import { amountOf, OverageLine, overageTable, whatOf } from './overage-text.js';

const Totals = z.object({
  month: z.string(),
  totals: z.array(z.object({ currency: z.string(), amount_minor: z.string() })),
});

const Explanation = z.looseObject({
  run_id: z.string(),
  as_of: z.string(),
  line: OverageLine,
  events: z.array(
    z.looseObject({
      source: z.string(),
      event_id: z.string(),
      at: z.string(),
      quantity: z.string(),
    }),
  ),
});
type Explanation = z.infer<typeof Explanation>;

interface PreviewOptions {
  readonly period?: string;
  readonly org?: string;
  readonly asOf?: string;
  readonly limit: number;
}

export function addBillingCommand(program: Command): void {
  const billing = program
    .command('billing')
    .description('overages: what would be billed and why, and billing it');
  withExamples(billing, 'headgate billing preview --period 2026-09', 'headgate billing explain ovl_0a1b2c');
  const preview = billing
    .command('preview')
    .description(
      'what would be billed for the subscription periods that ended in a month; nothing is written',
    )
    .option('--period <month>', 'as 2026-09 (default: the last month that is over)', monthArgument)
    .option('--org <org>', 'only this org')
    .option('--as-of <instant>', 'from the run measured as of this instant', instantArgument)
    .option('--limit <rows>', 'at most so many lines (totals cover all)', countArgument, 200)
    .action(previewBilling);
  withExamples(
    preview,
    'headgate billing preview',
    'headgate billing preview --period 2026-09 --org org_12 --json',
  );
  const explain = billing
    .command('explain')
    .argument('<line>', 'as bills and the preview list it: ovl_…')
    .description('the events behind one line, each with the quantity that it put in')
    .option(
      '--period <month>',
      'the month of the preview (default: the line’s own once it was billed, else the last that is over)',
      monthArgument,
    )
    .option('--as-of <instant>', 'in the run measured as of this instant', instantArgument)
    .action(explainLine);
  withExamples(explain, 'headgate billing explain ovl_0a1b2c --period 2026-09');
  addBillingRunCommands(billing);
  addBillingStatusCommands(billing);
  addBillingCreditsCommand(billing);
  addBillingLedgerCommands(billing);
  addBillingBackfillCommand(billing);
  addLocalStripeCommand(billing);
}

async function previewBilling(options: PreviewOptions, command: Command): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const { period, org, asOf, limit } = options;
    const list = await readList(
      client,
      { path: '/v1/billing/preview', query: { month: period, org, as_of: asOf } },
      { rows: 'lines', row: OverageLine, limit },
    );
    output.answer(list.answer, () => describePreview(list));
  });
}

function describePreview(list: List<OverageLine>): string {
  const { month, totals } = Totals.parse(list.answer);
  const due = totals.map(({ currency, amount_minor: amount }) => showMoney(BigInt(amount), currency));
  return [
    `PREVIEW of ${month}: ${due.length === 0 ? 'nothing' : due.join(' and ')} would be billed; nothing was`,
    '',
    listText(list, overageTable(list.rows), 'no usage was over what is included'),
  ].join('\n');
}

async function explainLine(
  lineId: string,
  { period, asOf }: { period?: string; asOf?: string },
  command: Command,
): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const answer = await client.call(
      {
        path: `/v1/billing/lines/${encodeURIComponent(lineId)}`,
        query: { month: period, as_of: asOf },
      },
      Explanation,
    );
    output.answer(answer, () => describeExplanation(answer));
  });
}

function describeExplanation({ line, events, as_of: asOf, run_id: runId }: Explanation): string {
  const body = table(
    ['at', 'source', 'event', 'quantity'],
    events.map((event) => [event.at, event.source, event.event_id, showQuantity(event.quantity)]),
    ['left', 'left', 'left', 'right'],
  );
  return [
    `${[line.org_id, whatOf(line), `${line.period_start} to ${line.period_end}`].join(', ')}:`,
    `${line.description ?? usageText(line)}: ${amountOf(line)} (${line.status})`,
    '',
    body,
    '',
    `${showCount(BigInt(events.length))} events, ${originOf(asOf, runId)}`,
  ].join('\n');
}

function usageText({ used, included, overage }: OverageLine): string {
  const within = included === null ? 'no limit' : `${showQuantity(included)} included`;
  return `${showQuantity(used)} used, ${within}, ${showQuantity(overage)} over`;
}
