import { serve } from '../api/serve.js';
import type { CommandContext } from './command.js';
import { dutiesOf, requireRole, type Role } from './roles.js';
import { openRuntime, systemClock } from './runtime.js';
import { startScheduler } from './scheduler.js';
import { untilSignalled } from './until-signalled.js';

/** Long enough for an answer under way; whoever stops us for good (a container) usually waits 30 s. */
const GRACE_MS = 20_000;

/** Holds the data directory and serves it until a signal comes. */
export async function serveUntilStopped(
  options: { readonly host?: string; readonly port?: string; readonly role: Role },
  { config, environment, output }: CommandContext,
): Promise<void> {
  requireRole(options.role, config);
  const duties = dutiesOf(options.role);
  const runtime = await openRuntime({
    config,
    command: 'headgate serve',
    clock: systemClock,
    environment,
    // The log has what long work says; nobody watches this terminal for it.
    onProgress: () => undefined,
  });
  try {
    const stopped = untilSignalled();
    if (duties.consumes) await runtime.topics?.start();
    const server = await serve({
      services: runtime.services,
      answered: duties.answersApi ? 'everything' : 'health',
      host: options.host ?? config.host,
      port: options.port === undefined ? config.port : Number(options.port),
      publishServer: (published) => runtime.directory.publishServer(published),
    });
    const scheduler = duties.schedules ? startScheduler({ ...runtime, leadership: runtime.lead() }) : null;
    const { root } = runtime.directory;
    output.answer(
      { url: server.url, pid: process.pid, data: root },
      () =>
        `Headgate serves ${server.url} (pages: ${server.url}/dashboards, reference: ${server.url}/docs) from ${root}. Ctrl-C stops it.`,
    );
    await stopped;
    // Together: stopping the server tells a scheduled run to end, and waiting for that run first would take all of its time.
    await Promise.all([scheduler?.stop(), server.stop(GRACE_MS)]);
  } finally {
    await runtime.close();
  }
}
