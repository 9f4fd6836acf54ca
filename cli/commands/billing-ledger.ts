import { readFileSync, writeFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { parse } from 'yaml';
import { z } from 'zod';
import { InputError } from '../../core/errors.js';
import { countArgument, monthArgument } from '../arguments.js';
import { withClient } from '../command.js';
import { withExamples } from '../help.js';
import { showMoney } from '../numbers.js';
import { table } from '../output.js';
import { listText, readList, type List } from '../pages.js';

const Invoice = z.looseObject({
  bill_id: z.string(),
  org_id: z.string(),
  month: z.string(),
  currency: z.string(),
  total_minor: z.string(),
  state: z.string(),
  payment: z.string(),
  paid_minor: z.string(),
  unpaid_minor: z.string(),
  due_at: z.string().nullable(),
  days_past_due: z.number(),
  reconciliation: z.string(),
});
type Invoice = z.infer<typeof Invoice>;

const Summary = z.looseObject({
  as_of: z.string(),
  summary: z.array(
    z.looseObject({
      currency: z.string(),
      invoices: z.number(),
      total_minor: z.string(),
      paid_minor: z.string(),
      unpaid_minor: z.string(),
      unpaid_by_age: z.array(z.object({ age: z.string(), amount_minor: z.string() })),
    }),
  ),
});

const Break = z.looseObject({
  org_id: z.string(),
  month: z.string(),
  bill_id: z.string(),
  amount_minor: z.string(),
  currency: z.string(),
  cause: z.string(),
  message: z.string(),
  next_step: z.string(),
  aged_days: z.number(),
});
type Break = z.infer<typeof Break>;

interface ListOptions {
  readonly period?: string;
  readonly org?: string;
  readonly unpaid?: true;
  readonly limit: number;
}

/** Finance's view: `headgate billing ledger`, `breaks` and `export`. */
export function addBillingLedgerCommands(billing: Command): void {
  const ledger = billing
    .command('ledger')
    .description(
      'invoices as finance sees them: paid, unpaid and for how long, and whether they are what was rated',
    )
    .option('--period <month>', 'only this month, as 2026-09', monthArgument)
    .option('--org <org>', 'only this org')
    .option('--unpaid', 'only what is not paid in full')
    .option('--limit <rows>', 'at most so many (sums cover all)', countArgument, 100)
    .action(showLedger);
  withExamples(ledger, 'headgate billing ledger --period 2026-09', 'headgate billing ledger --unpaid --json');
  const breaks = billing
    .command('breaks')
    .description('what somebody must look at, why, and the command that goes on')
    .option('--period <month>', 'only this month, as 2026-09', monthArgument)
    .option('--org <org>', 'only this org')
    .option('--limit <rows>', 'at most so many', countArgument, 100)
    .action(showBreaks);
  withExamples(breaks, 'headgate billing breaks', 'headgate billing breaks --period 2026-09 --json');
  const exported = billing
    .command('export')
    .description(
      'a billing month for accounting: journal lines, debit = credit in every entry, or its invoices',
    )
    .requiredOption('--period <month>', 'as 2026-09', monthArgument)
    .option('--org <org>', 'only this org')
    .addOption(
      new Option('--format <format>', 'csv: a line for each invoice; journal: CSV of journal lines')
        .choices(['csv', 'journal'])
        .default('journal'),
    )
    .option('--accounts <file>', 'your own account numbers, YAML or JSON: accounts: {cash: {number: "1010"}}')
    .option('--out <file>', 'write it there (default: to standard output)')
    .action(exportMonth);
  withExamples(
    exported,
    'headgate billing export --period 2026-09 > journal-2026-09.csv',
    'headgate billing export --period 2026-09 --format csv --out invoices.csv',
  );
}

async function showLedger({ period, org, unpaid, limit }: ListOptions, command: Command): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const query = { month: period, org, unpaid: unpaid && 'true' };
    const list = await readList(
      client,
      { path: '/v1/ledger/invoices', query },
      { rows: 'invoices', row: Invoice, limit },
    );
    output.answer(list.answer, () => describeLedger(list));
  });
}

function describeLedger(list: List<Invoice>): string {
  const { as_of: asOf, summary } = Summary.parse(list.answer);
  const sums = summary.map((one) => {
    const money = (amount: string): string => showMoney(BigInt(amount), one.currency);
    const ages = one.unpaid_by_age
      .filter(({ amount_minor: amount }) => amount !== '0')
      .map(
        ({ age, amount_minor: amount }) => `${money(amount)} ${age === '0' ? 'not due yet' : `${age} days`}`,
      );
    const aged = ages.length === 0 ? '' : ` (${ages.join(', ')})`;
    return `${one.invoices} in ${one.currency}: ${money(one.total_minor)}, ${money(one.paid_minor)} paid, ${money(one.unpaid_minor)} unpaid${aged}`;
  });
  const rows = table(
    ['month', 'org', 'bill', 'total', 'paid', 'unpaid', 'payment', 'days past due', 'state', ''],
    list.rows.map((one) => [
      ...[one.month, one.org_id, one.bill_id],
      ...[one.total_minor, one.paid_minor, one.unpaid_minor].map((amount) =>
        showMoney(BigInt(amount), one.currency),
      ),
      ...[one.payment, String(one.days_past_due), one.state, one.reconciliation.replace('_', ' ')],
    ]),
    ['left', 'left', 'left', 'right', 'right', 'right', 'left', 'right', 'left', 'left'],
  );
  return [
    listText(list, rows, 'no invoices'),
    ...(sums.length === 0 ? [] : ['', ...sums]),
    '',
    `as of ${asOf}`,
  ].join('\n');
}

async function showBreaks({ period, org, limit }: ListOptions, command: Command): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const list = await readList(
      client,
      { path: '/v1/ledger/breaks', query: { month: period, org } },
      { rows: 'breaks', row: Break, limit },
    );
    const text = list.rows.map(describeBreak).join('\n');
    output.answer(list.answer, () => listText(list, text, 'nothing is open'));
  });
}

function describeBreak(one: Break): string {
  const head = `${one.month} ${one.org_id} ${one.bill_id}, ${showMoney(BigInt(one.amount_minor), one.currency)}, for ${one.aged_days} days`;
  return [head, `  ${one.cause}: ${one.message}`, `  → ${one.next_step}`].join('\n');
}

interface ExportOptions {
  readonly period: string;
  readonly org?: string;
  readonly format: 'csv' | 'journal';
  readonly accounts?: string;
  readonly out?: string;
}

async function exportMonth(options: ExportOptions, command: Command): Promise<void> {
  const { period, org, format, out } = options;
  const accounts = options.accounts === undefined ? undefined : JSON.stringify(chartIn(options.accounts));
  await withClient(command, async (client, { output }) => {
    const path = '/v1/ledger/export';
    const asked = format === 'csv' ? 'invoices' : 'journal';
    const bytes = await client.bytes({ path, query: { month: period, org, format: asked, accounts } });
    if (out === undefined) output.bytes(bytes);
    else {
      writeFileSync(out, bytes);
      output.answer({ file: out, bytes: bytes.length }, () => `wrote ${out}`);
    }
  });
}

/** @throws InputError `file_not_found`, `invalid_file` */
function chartIn(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new InputError('file_not_found', `${file} can't be read; --accounts takes a YAML or JSON file`, {
      cause,
    });
  }
  try {
    return parse(text);
  } catch (cause) {
    throw new InputError('invalid_file', `${file} is no YAML or JSON`, { cause });
  }
}
