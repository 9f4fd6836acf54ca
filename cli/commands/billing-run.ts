import type { Command } from 'commander';
import { z } from 'zod';
import { RefusedError } from '../../core/errors.js';
import { countArgument, monthArgument } from '../arguments.js';
import { withClient } from '../command.js';
import { withExamples } from '../help.js';
import { showMoney } from '../numbers.js';
import { table } from '../output.js';

const Amount = z.looseObject({ org_id: z.string(), currency: z.string(), amount_minor: z.string() });
const Report = z.looseObject({
  mode: z.enum(['live', 'test']),
  month: z.string(),
  run_id: z.string(),
  as_of: z.string(),
  is_dry_run: z.boolean(),
  bills: z.array(
    Amount.extend({ bill_id: z.string(), lines: z.number(), approval_reason: z.string().nullable() }),
  ),
  waiting: z.array(Amount),
  held_back: z.array(
    z.looseObject({
      org_id: z.string(),
      amount_minor: z.string().nullable(),
      currency: z.string().nullable(),
      cause: z.string(),
      message: z.string(),
    }),
  ),
  outcomes: z.array(
    z.looseObject({
      bill_id: z.string(),
      org_id: z.string(),
      outcome: z.string(),
      message: z.string().nullable(),
    }),
  ),
});
type Report = z.infer<typeof Report>;

interface RunOptions {
  readonly period?: string;
  readonly customer?: string;
  readonly dryRun?: boolean;
}

/** `headgate billing run` and `headgate billing link`: what moves money, and who pays. */
export function addBillingRunCommands(billing: Command): void {
  const run = billing
    .command('run')
    .description('bill the overages of the subscription periods that ended in a month; again does nothing')
    .option('--period <month>', 'as 2026-09 (default: the last month that is over)', monthArgument)
    .option('--customer <org>', 'only this org')
    .option('--dry-run', 'show the plan and write nothing, here or at Stripe')
    .action(runBilling);
  withExamples(
    run,
    'headgate billing run --period 2026-09 --dry-run',
    'headgate billing run --period 2026-09',
  );
  const link = billing
    .command('link')
    .argument('<org>', 'as events name it')
    .argument('<customer>', 'as Stripe names it: cus_…')
    .description('say which customer of Stripe pays for an org, after looking it up there')
    .option(
      '--days-until-due <days>',
      'send invoices to be paid within so many days, instead of charging',
      countArgument,
    )
    .action(linkCustomer);
  withExamples(link, 'headgate billing link org_12 cus_NffrFeUfNV2Hib');
  const approve = billing
    .command('approve')
    .argument('<bill...>', 'as status lists them: bill_…')
    .requiredOption('--reason <text>', 'why; it is kept on record')
    .description('let bills go that wait for approval; the next run carries them out')
    .action(approveBills);
  withExamples(
    approve,
    'headgate billing status --state awaiting_approval',
    'headgate billing approve bill_0a1b2c --reason "their launch month"',
  );
  const withdraw = billing
    .command('withdraw')
    .argument('<bill>', 'as status lists it: bill_…')
    .requiredOption('--reason <text>', 'why; it is kept on record')
    .description(
      'take back a bill that can not come to its end; its draft goes, and the next run bills it anew',
    )
    .action(withdrawBill);
  withExamples(withdraw, 'headgate billing withdraw bill_0a1b2c --reason "the customer was deleted"');
}

async function runBilling({ period, customer, dryRun }: RunOptions, command: Command): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const report = await client.call(
      {
        method: 'POST',
        path: '/v1/billing/runs',
        json: { month: period, org: customer, dry_run: dryRun === true },
      },
      Report,
    );
    output.answer(report, () => describeRun(report));
    const open = report.outcomes.filter(({ outcome }) => outcome !== 'finalized');
    if (open.length === 0) return;
    throw new RefusedError(
      'conflict',
      `${open.length} of ${report.outcomes.length} bills did not come to their end; headgate billing status says why`,
    );
  });
}

function describeRun(report: Report): string {
  const { mode, month, is_dry_run: isDryRun, bills, waiting, held_back: heldBack, outcomes } = report;
  const done = outcomes.filter(({ outcome }) => outcome === 'finalized').length;
  const title = isDryRun
    ? `PLAN for ${month} (${mode} mode): nothing was written`
    : `${month} (${mode} mode): ${done} of ${outcomes.length} bills are final`;
  return [
    title,
    ...section(
      bills.length === 0 ? 'nothing new to bill' : `${isDryRun ? 'would be billed' : 'entered'}:`,
      bills.length === 0 ? [] : [amountTable(bills)],
    ),
    ...section(
      'waits for approval (headgate billing approve BILL --reason …):',
      bills.every(({ approval_reason: reason }) => reason === null)
        ? null
        : bills.flatMap(({ bill_id: bill, org_id: org, approval_reason: reason }) =>
            reason === null ? [] : [`  ${bill} of ${org}: ${reason}`],
          ),
    ),
    ...section(
      'waits for the next bill (under the minimum, or owed to the customer):',
      waiting.length === 0 ? null : [amountTable(waiting)],
    ),
    ...section(
      'held back:',
      heldBack.length === 0
        ? null
        : heldBack.map(({ amount_minor: amount, currency, message }) =>
            amount === null || currency === null
              ? `  ${message}`
              : `  ${showMoney(BigInt(amount), currency)}: ${message}`,
          ),
    ),
    ...section(
      'not final:',
      done === outcomes.length
        ? null
        : outcomes
            .filter(({ outcome }) => outcome !== 'finalized')
            .map(
              ({ bill_id: bill, org_id: org, outcome, message }) =>
                `  ${org} ${bill}: ${outcome}: ${message ?? ''}`,
            ),
    ),
  ].join('\n');
}

function section(title: string, lines: readonly string[] | null): string[] {
  return lines === null ? [] : ['', title, ...lines];
}

function amountTable(rows: readonly z.infer<typeof Amount>[]): string {
  return table(
    ['org', 'amount'],
    rows.map(({ org_id: org, amount_minor: amount, currency }) => [org, showMoney(BigInt(amount), currency)]),
    ['left', 'right'],
  );
}

async function approveBills(
  bills: readonly string[],
  { reason }: { readonly reason: string },
  command: Command,
): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const approved: z.infer<typeof Changed>[] = [];
    for (const bill of bills) {
      const path = `/v1/invoices/${encodeURIComponent(bill)}/approve`;
      approved.push(await client.call({ method: 'POST', path, json: { reason } }, Changed));
    }
    output.answer({ approved }, () =>
      [
        ...approved.map(({ bill_id: bill, org_id: org, state }) => `${bill} of ${org} is ${state}`),
        'headgate billing run carries them out',
      ].join('\n'),
    );
  });
}

const Changed = z.looseObject({ bill_id: z.string(), org_id: z.string(), state: z.string() });

async function withdrawBill(
  bill: string,
  { reason }: { readonly reason: string },
  command: Command,
): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const path = `/v1/invoices/${encodeURIComponent(bill)}/withdraw`;
    const answer = await client.call({ method: 'POST', path, json: { reason } }, Changed);
    output.answer(
      answer,
      () => `${answer.bill_id} of ${answer.org_id} is ${answer.state}; headgate billing run bills it anew`,
    );
  });
}

const Link = z.looseObject({
  org_id: z.string(),
  customer_id: z.string(),
  mode: z.string(),
  collection_method: z.string(),
  days_until_due: z.number().nullable(),
});

async function linkCustomer(
  org: string,
  customer: string,
  { daysUntilDue }: { readonly daysUntilDue?: number },
  command: Command,
): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const link = await client.call(
      {
        method: 'PUT',
        path: `/v1/billing/customers/${encodeURIComponent(org)}`,
        json: { customer_id: customer, days_until_due: daysUntilDue },
      },
      Link,
    );
    const how =
      link.days_until_due === null
        ? 'Stripe charges its default payment method'
        : `it is sent invoices, due within ${link.days_until_due} days`;
    output.answer(link, () => `${link.customer_id} pays for ${link.org_id} (${link.mode} mode): ${how}`);
  });
}
