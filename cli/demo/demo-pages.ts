import { serve, type RunningServer } from '../../api/serve.js';
import type { BillingDesk } from '../../billing/billing-desk.js';
import { RefusedError } from '../../core/errors.js';
import { messageOf } from '../../platform/warehouse/duckdb-errors.js';
import type { CommandContext } from '../command.js';
import { ensureSite } from '../dashboards/build-site.js';
import type { Runtime } from '../runtime.js';
import { untilSignalled } from '../until-signalled.js';

/** Pages that are being built while the numbers are worked out. */
export interface PagesUnderWay {
  readonly built: Promise<'built' | 'stopped' | { readonly problem: string }>;
  /** What is being done, in words. */
  readonly stage: () => string;
  readonly stop: () => void;
}

const GRACE_MS = 2_000;

/** Starts now and keeps out of the way: the numbers never wait for it. */
export function startPages({ environment }: CommandContext): PagesUnderWay {
  const abort = new AbortController();
  let stage = 'Building the pages';
  const built = ensureSite({
    ...{ environment, isBackground: true, signal: abort.signal },
    // The numbers speak first; once they are there, waiting for the pages says what it waits for.
    onProgress: (message) => {
      stage = message.replace(/ …$/, '');
    },
  }).then(
    () => 'built' as const,
    (error: unknown) => {
      if (abort.signal.aborted) return 'stopped' as const;
      return { problem: messageOf(error) };
    },
  );
  return {
    built,
    stage: () => stage,
    stop: () => {
      abort.abort();
    },
  };
}

/** Serves the demo's company as it is: nothing measures it anew while somebody looks. */
export async function serveDemo(
  { services, directory }: Runtime,
  desk: BillingDesk,
  config: CommandContext['config'],
): Promise<{ readonly url: string; readonly stopped: Promise<void> }> {
  const signalled = untilSignalled();
  // Its invoices are of the demo's own Stripe, whatever keys are set.
  const own = { ...services, billing: () => Promise.resolve(desk) };
  const server = await listen(own, directory, config);
  return { url: server.url, stopped: signalled.then(() => server.stop(GRACE_MS)) };
}

/** On another port where somebody else has the usual one. */
async function listen(
  services: Runtime['services'],
  directory: Runtime['directory'],
  { host, port }: CommandContext['config'],
): Promise<RunningServer> {
  const on = (wanted: number) =>
    serve({
      ...{ services, host, port: wanted },
      publishServer: (published) => directory.publishServer(published),
    });
  try {
    return await on(port);
  } catch (error) {
    if (!(error instanceof RefusedError) || error.code !== 'already_exists') throw error;
    return on(0);
  }
}
