import type { Command } from 'commander';
import { z } from 'zod';
import { dayArgument } from '../arguments.js';
import { withClient } from '../command.js';
import { withExamples } from '../help.js';
import { showCount } from '../numbers.js';

const Report = z.looseObject({
  customers: z.number(),
  events: z.number(),
  subscriptions: z.number(),
  invoices: z.number(),
  retried: z.number(),
  waiting: z.number(),
  failed: z.number(),
});
type Report = z.infer<typeof Report>;

/** `headgate billing backfill`: what Stripe knows from before its webhooks came here, and what never came. */
export function addBillingBackfillCommand(billing: Command): void {
  const backfill = billing
    .command('backfill')
    .description('take in the past of every linked customer from Stripe, as events; again adds what is new')
    .option('--since <date>', 'only invoices made from this day on, as 2026-01-01', dayArgument)
    .action(runBackfill);
  withExamples(backfill, 'headgate billing backfill', 'headgate billing backfill --since 2026-01-01');
}

async function runBackfill({ since }: { since?: string }, command: Command): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const json = since === undefined ? {} : { since: `${since}T00:00:00Z` };
    const report = await client.call({ method: 'POST', path: '/v1/billing/backfills', json }, Report);
    output.answer(report, () => describe(report));
  });
}

function describe({ customers, events, subscriptions, invoices, retried, waiting, failed }: Report): string {
  const count = (value: number): string => showCount(BigInt(value));
  return [
    `looked at ${count(customers)} linked customers: ${count(subscriptions)} subscriptions, ${count(invoices)} invoices, ` +
      `${count(events)} changes of subscriptions that no webhook had brought`,
    'Stripe keeps what subscriptions were for 30 days; of older ones it tells when they began and what they hold now.',
    ...(retried === 0 ? [] : [`${count(retried)} that had failed before were tried again`]),
    ...(waiting === 0
      ? []
      : [`${count(waiting)} wait for their customer to be linked: headgate billing link`]),
    ...(failed === 0 ? [] : [`${count(failed)} could not be taken in: headgate doctor says why`]),
  ].join('\n');
}
