import { Option, type Command } from 'commander';
import { z } from 'zod';
import { RefusedError } from '../../core/errors.js';
import { countArgument, monthArgument } from '../arguments.js';
import type { Client } from '../client.js';
import { withClient } from '../command.js';
import { withExamples } from '../help.js';
import { showMoney } from '../numbers.js';
import { table } from '../output.js';
import { listText, readList } from '../pages.js';

const Bill = z.looseObject({
  bill_id: z.string(),
  org_id: z.string(),
  month: z.string(),
  state: z.string(),
  total_minor: z.string(),
  currency: z.string(),
  invoice_id: z.string().nullable(),
  credit_note_id: z.string().nullable(),
  problem: z.string().nullable(),
  approval_reason: z.string().nullable(),
  payment: z
    .looseObject({
      status: z.string(),
      remaining_minor: z.string(),
      attempts: z.number(),
      next_attempt_at: z.string().nullable(),
      dispute: z.string(),
      dunning: z.string(),
      pauses_at: z.string().nullable(),
    })
    .nullable(),
});
type Bill = z.infer<typeof Bill>;
const Waiting = z.looseObject({ org_id: z.string(), currency: z.string(), amount_minor: z.string() });
const Checked = z.looseObject({ breaks: z.array(z.object({ cause: z.string(), message: z.string() })) });
const Replay = z.looseObject({
  is_same: z.boolean(),
  entries: z.array(
    z.looseObject({
      entry: z.looseObject({
        sequence: z.number(),
        run_id: z.string(),
        events: z.number(),
        amount_minor: z.string(),
        currency: z.string(),
      }),
      entered_minor: z.string(),
      is_same: z.boolean(),
    }),
  ),
});

interface StatusOptions {
  readonly period?: string;
  readonly org?: string;
  readonly state?: string;
  readonly limit: number;
}

/** What was billed and where it stands: `headgate billing status`, `reconcile` and `replay`. */
export function addBillingStatusCommands(billing: Command): void {
  const status = billing
    .command('status')
    .description(
      'invoices of overages and credit notes on them, where they stand, and what waits for the next',
    )
    .option('--period <month>', 'only this month, as 2026-09', monthArgument)
    .option('--org <org>', 'only this org')
    .addOption(
      new Option('--state <state>', 'only these').choices([
        'awaiting_approval',
        'planned',
        'finalized',
        'blocked',
        'refused',
        'withdrawn',
      ]),
    )
    .option('--limit <rows>', 'at most so many', countArgument, 100)
    .action(showStatus);
  withExamples(status, 'headgate billing status --period 2026-09', 'headgate billing status --state blocked');
  const reconcile = billing
    .command('reconcile')
    .description('hold invoices against Stripe as it stands now: what was rated, one to one, to the cent')
    .option('--period <month>', 'only this month, as 2026-09', monthArgument)
    .option('--org <org>', 'only this org')
    .action(reconcileBills);
  withExamples(reconcile, 'headgate billing reconcile --period 2026-09');
  const replay = billing
    .command('replay')
    .argument('<line>', 'as bills and previews name it: ovl_…')
    .description(
      'rate a billed line anew from what it was billed from; the same events and cents must come out',
    )
    .action(replayLine);
  withExamples(replay, 'headgate billing replay ovl_0a1b2c');
}

async function showStatus({ period, org, state, limit }: StatusOptions, command: Command): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const list = await readList(
      client,
      { path: '/v1/invoices', query: { month: period, org, state } },
      { rows: 'invoices', row: Bill, limit },
    );
    const { rows: all } = await readList(
      client,
      { path: '/v1/billing/waiting' },
      { rows: 'waiting', row: Waiting, limit: undefined },
    );
    const waiting = all.filter((one) => org === undefined || one.org_id === org);
    const waits = waiting.map(
      ({ org_id: whose, amount_minor: amount, currency }) =>
        `  ${whose}: ${showMoney(BigInt(amount), currency)}`,
    );
    output.answer({ ...list.answer, waiting }, () =>
      [
        listText(list, billTable(list.rows), 'nothing was billed; headgate billing run bills a month'),
        ...(waits.length === 0
          ? []
          : ['', 'waits for the next bill (below 0: owed to the customer):', ...waits]),
      ].join('\n'),
    );
  });
}

function billTable(bills: readonly Bill[]): string {
  return table(
    ['month', 'org', 'bill', 'amount', 'state', 'at Stripe', 'payment', ''],
    bills.map((bill) => [
      bill.month,
      bill.org_id,
      bill.bill_id,
      showMoney(BigInt(bill.total_minor), bill.currency),
      bill.state,
      atStripe(bill),
      paymentText(bill),
      bill.problem ?? (bill.state === 'awaiting_approval' ? (bill.approval_reason ?? '') : ''),
    ]),
    ['left', 'left', 'left', 'right', 'left', 'left', 'left', 'left'],
  );
}

/** An invoice, or a credit note on one. */
function atStripe({ invoice_id: invoice, credit_note_id: note }: Bill): string {
  return note === null ? (invoice ?? '–') : `${note} on ${invoice ?? '–'}`;
}

/** `paid`; `past_due, $5.00 left, 2 attempts, next 2026-10-12, pauses 2026-10-20`. */
function paymentText({ payment, currency }: Bill): string {
  if (payment === null) return '–';
  const { status, remaining_minor: remaining, attempts, dunning, dispute } = payment;
  const day = (instant: string): string => instant.slice(0, 10);
  const parts = [
    dunning === 'current' ? status : dunning,
    ...(status === 'open' ? [`${showMoney(BigInt(remaining), currency)} left`] : []),
    ...(dunning === 'current' || attempts === 0 ? [] : [`${attempts} attempt${attempts === 1 ? '' : 's'}`]),
    ...(payment.next_attempt_at === null ? [] : [`next ${day(payment.next_attempt_at)}`]),
    ...(dunning === 'past_due' && payment.pauses_at !== null ? [`pauses ${day(payment.pauses_at)}`] : []),
    ...(dispute === 'none' ? [] : [`dispute ${dispute}`]),
  ];
  return parts.join(', ');
}

async function reconcileBills(
  { period, org }: Pick<StatusOptions, 'period' | 'org'>,
  command: Command,
): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const { rows } = await readList(
      client,
      { path: '/v1/invoices', query: { month: period, org } },
      { rows: 'invoices', row: Bill, limit: undefined },
    );
    const invoiced = rows.filter(({ invoice_id: invoice }) => invoice !== null);
    const breaks: { bill_id: string; org_id: string; cause: string; message: string }[] = [];
    for (const [index, bill] of invoiced.entries()) {
      output.progress(`${index + 1} of ${invoiced.length} invoices`);
      const found = await breaksOf(client, bill);
      breaks.push(...found.map((one) => ({ bill_id: bill.bill_id, org_id: bill.org_id, ...one })));
    }
    output.answer({ invoices: invoiced.length, breaks }, () =>
      breaks.length === 0
        ? `${invoiced.length} invoices and credit notes: each is what was rated, one to one, to the cent`
        : [
            `${invoiced.length} invoices and credit notes, ${breaks.length} breaks:`,
            ...breaks.map(({ org_id: whose, cause, message }) => `  ${whose}: ${cause}: ${message}`),
          ].join('\n'),
    );
    if (breaks.length > 0)
      throw new RefusedError('conflict', `${breaks.length} breaks between the ledger and Stripe`);
  });
}

async function breaksOf(client: Client, { bill_id: billId }: Bill) {
  const path = `/v1/invoices/${encodeURIComponent(billId)}/reconcile`;
  return (await client.call({ method: 'POST', path }, Checked)).breaks;
}

async function replayLine(lineId: string, _: unknown, command: Command): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const path = `/v1/billing/lines/${encodeURIComponent(lineId)}/replay`;
    const replay = await client.call({ path }, Replay);
    output.answer(replay, () =>
      replay.entries
        .map(({ entry, entered_minor: entered, is_same: isSame }) => {
          const amount = showMoney(BigInt(entered), entry.currency);
          const verdict = isSame ? 'the same again' : 'NOT THE SAME any more';
          return `entry ${entry.sequence}, ${entry.events} events of run ${entry.run_id}: ${amount} in all, ${verdict}`;
        })
        .join('\n'),
    );
    if (!replay.is_same) throw new RefusedError('conflict', `${lineId} does not rate to what was billed`);
  });
}
