import type { Command } from 'commander';
import { portArgument } from '../arguments.js';
import { contextOf } from '../command.js';
import { withExamples } from '../help.js';

interface Options {
  readonly port: string;
  readonly state?: string;
}

export function addLocalStripeCommand(billing: Command): void {
  const command = billing
    .command('local-stripe')
    .description('serve a Stripe of this machine, for trying things out without an account: no money moves')
    .option('--port <port>', 'the port, 0 for a free one', portArgument, '12111')
    .option('--state <file>', 'keep everything in this file; without it all is forgotten at the end')
    .action(serveLocalStripe);
  withExamples(
    command,
    'headgate billing local-stripe',
    'headgate billing local-stripe --port 0 --state stripe.state',
  );
}

async function serveLocalStripe({ port, state }: Options, command: Command): Promise<void> {
  const { output } = contextOf(command);
  const [{ startLocalStripe }, { systemClock }, { untilSignalled }] = await Promise.all([
    import('../../fixtures/stripe/local-stripe.js'),
    import('../runtime.js'),
    import('../until-signalled.js'),
  ]);
  const stopped = untilSignalled();
  const stripe = await startLocalStripe({
    now: () => Number(systemClock() / 1000n),
    port: Number(port),
    ...(state === undefined ? {} : { stateFile: state }),
  });
  const { url, secretKey } = stripe;
  output.answer(
    { url, secret_key: secretKey, state: state ?? null },
    () => `A local Stripe serves ${url} with the key ${secretKey}; its customers and invoices: ${url}/`,
  );
  await stopped;
  await stripe.stop();
}
