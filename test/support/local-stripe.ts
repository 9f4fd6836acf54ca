import { dirname } from 'node:path';
import Stripe from 'stripe';
import {
  startLocalStripe,
  type LocalStripe,
  type LocalStripeOptions,
} from '../../fixtures/stripe/local-stripe.js';
import { lineFrom, startHeadgate, type Running } from './command-line.js';

/** A local Stripe on the system's clock, on a free port. */
export function startTestStripe(options: Partial<LocalStripeOptions> = {}): Promise<LocalStripe> {
  return startLocalStripe({ now: Date.now, ...options });
}

/** The official SDK, talking to a server of this machine. */
export function sdkFor(url: string, secretKey: string, account?: string): Stripe {
  const { hostname, port } = new URL(url);
  return new Stripe(secretKey, {
    host: hostname,
    port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
    ...(account === undefined ? {} : { stripeAccount: account }),
  });
}

/** The server in a process of its own, as people start it. Whoever asks ends it. */
export async function startStripeProcess(stateFile: string): Promise<{ child: Running; url: string }> {
  const args = ['billing', 'local-stripe', '--port', '0', '--state', stateFile];
  const child = startHeadgate(args, { cwd: dirname(stateFile) });
  const [, url = ''] = await lineFrom(child.stdout, /A local Stripe serves (http:\S+)/);
  return { child, url };
}
