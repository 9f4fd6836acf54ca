import type { BillingDesk } from '../../billing/billing-desk.js';
import type { CommandContext } from '../command.js';
import { openRuntime, systemClock, type Runtime } from '../runtime.js';
import { prepareCompany } from './company.js';
import { billDemoMonth } from './demo-bills.js';
import type { DemoCatalog } from './demo-catalogs.js';
import { serveDemo, startPages, type PagesUnderWay } from './demo-pages.js';
import { nextSteps } from './next-steps.js';
import { demoMonth, readDemoPage, type DemoPage } from './page-data.js';
import { demoText } from './page-text.js';

export interface DemoOptions {
  readonly data: string;
  readonly seed?: number;
  /** Build the pages too. */
  readonly pages: boolean;
  /** Serve them, until a signal comes. */
  readonly serve: boolean;
}

/** Simulates a company in a data directory of its own, measures it, prints its numbers with what to try next, and links to its pages. */
export async function showDemo(
  catalog: DemoCatalog,
  { data, pages: wantsPages, serve: wantsServer, ...overrides }: DemoOptions,
  context: CommandContext,
): Promise<void> {
  const { config, environment, output } = context;
  const pages = wantsPages ? startPages(context) : null;
  try {
    const runtime = await openRuntime({
      config,
      command: 'headgate demo',
      clock: systemClock,
      environment,
      onProgress: (message) => {
        output.progress(message);
      },
    });
    let shown: ShownNumbers;
    try {
      shown = await showNumbers(catalog, { data, overrides }, runtime, context);
      if (pages !== null && wantsServer) {
        // At once: what is pasted from above finds it.
        const server = await serveDemo(runtime, shown.desk, config);
        await Promise.race([linkToPages(pages, server.url, shown, context), server.stopped]);
        await server.stopped;
        return;
      }
    } finally {
      await runtime.close();
    }
    if (pages !== null) await linkToPages(pages, null, shown, context);
  } finally {
    pages?.stop();
  }
}

interface ShownNumbers {
  /** Of a key to look around with. */
  readonly secret: string;
  readonly serveCommand: string;
  readonly desk: BillingDesk;
}

async function showNumbers(
  catalog: DemoCatalog,
  { data, overrides }: { readonly data: string; readonly overrides: { readonly seed?: number } },
  runtime: Runtime,
  { config, output }: CommandContext,
): Promise<ShownNumbers> {
  const company = await prepareCompany(catalog, overrides, runtime);
  const { services } = runtime;
  const page = await services.runs.withRun({ runId: company.run.runId }, ({ run, reader }) =>
    readDemoPage(company.catalog, run, reader),
  );
  const bills = await billDemoMonth(company, demoMonth(company.catalog, company.run), runtime);
  const names = await services.vault.read(tokensOf(page));
  const { key, secret } = await demoKey(services);
  const steps = nextSteps(page, bills, { data, config, secret });
  const answer = {
    ...page,
    catalog: page.catalog.name,
    bills: bills.bills,
    key_id: key.keyId,
    next: steps,
  };
  output.answer(answer, () =>
    [demoText(page, bills, (token) => (token === null ? '' : (names.get(token) ?? ''))), ...steps.text].join(
      '\n',
    ),
  );
  return { secret, serveCommand: steps.serve, desk: bills.desk };
}

/** @param served null: nobody serves them yet */
async function linkToPages(
  { built, stage }: PagesUnderWay,
  served: string | null,
  { secret, serveCommand }: ShownNumbers,
  { config, output }: CommandContext,
): Promise<void> {
  const outcome = await output.waiting(stage, built);
  if (outcome === 'stopped') return;
  if (outcome !== 'built') {
    output.progress(
      `The pages could not be built; the numbers above need none. ${outcome.problem}\nTry again with: headgate dashboards build`,
    );
    return;
  }
  const link = `${served ?? `http://${config.host}:${config.port}`}/dashboards/sign-in#${secret}`;
  const how =
    served === null
      ? `It signs in, once this runs:  ${serveCommand}`
      : `It signs in, for as long as this runs; Ctrl-C stops it. Later:  ${serveCommand}`;
  output.answer({ link }, () => ['', 'Pages', '─────', link, how].join('\n'));
}

function tokensOf(page: DemoPage): string[] {
  return [...page.leads.map(({ email }) => email), ...page.negative.map(({ name }) => name)].filter(
    (token) => token !== null,
  );
}

/** A key to look around with; the one of an earlier demo is revoked, since nobody was shown it twice. */
async function demoKey({ keys, clock }: Awaited<ReturnType<typeof openRuntime>>['services']) {
  const now = clock();
  for (const key of await keys.list()) {
    if (key.name === 'demo' && key.revokedAt === null) await keys.revoke(key.keyId, 'demo', now);
  }
  return keys.create({ name: 'demo', role: 'founder' }, 'demo', now);
}
