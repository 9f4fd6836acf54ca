import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import Stripe from 'stripe';
import { z } from 'zod';
import { packagePath } from '../../platform/package-path.js';
import {
  startLocalStripe,
  type LocalStripe,
  type LocalStripeOptions,
} from '../../fixtures/stripe/local-stripe.js';

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
export async function startStripeProcess(stateFile: string): Promise<{ child: ChildProcess; url: string }> {
  const command = ['billing', 'local-stripe', '--port', '0', '--state', stateFile, '--json'];
  const child = spawn(process.execPath, ['--import', 'tsx', packagePath('cli', 'main.ts'), ...command], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = z.tuple([z.instanceof(Buffer)]).parse(await once(child.stdout, 'data'));
  const { url } = z.looseObject({ url: z.string() }).parse(JSON.parse(line.toString()));
  return { child, url };
}
