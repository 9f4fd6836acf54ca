import type { CommandContext } from '../command.js';
import { openRuntime, systemClock } from '../runtime.js';
import { prepareCompany } from './company.js';
import { billDemoMonth } from './demo-bills.js';
import type { DemoCatalog } from './demo-catalogs.js';
import { nextSteps } from './next-steps.js';
import { demoMonth, readDemoPage, type DemoPage } from './page-data.js';
import { demoText } from './page-text.js';

/** Simulates a company in a data directory of its own, measures it, and prints the page with what to try next. */
export async function showDemo(
  catalog: DemoCatalog,
  { data, ...overrides }: { readonly data: string; readonly seed?: number },
  { config, environment, output }: CommandContext,
): Promise<void> {
  const runtime = await openRuntime({
    config,
    command: 'headgate demo',
    clock: systemClock,
    environment,
    onProgress: (message) => {
      output.progress(message);
    },
  });
  try {
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
      [
        demoText(page, bills, (token) => (token === null ? '' : (names.get(token) ?? ''))),
        ...steps.text,
      ].join('\n'),
    );
  } finally {
    await runtime.close();
  }
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
