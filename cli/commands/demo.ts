import { Option, type Command } from 'commander';
import { join } from 'node:path';
import { openRuntime, systemClock } from '../runtime.js';
import { contextOf } from '../command.js';
import { DEMO_CATALOGS, prepareCompany, type DemoCatalog } from '../demo/company.js';
import { nextSteps } from '../demo/next-steps.js';
import { readDemoPage, type DemoPage } from '../demo/page-data.js';
import { demoText } from '../demo/page-text.js';

interface Options {
  readonly catalog: DemoCatalog;
  readonly data?: string;
  readonly seed?: string;
}

export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('simulate a company, measure it, and show its numbers')
    .addOption(
      new Option('--catalog <name>', 'which company').choices([...DEMO_CATALOGS]).default('fleetprompt'),
    )
    .option('--seed <number>', 'another company of the same kind')
    .addHelpText('after', '\nExamples:\n  headgate demo\n  headgate demo --catalog frontier')
    .action(async (options: Options, command: Command) => {
      const { data = join('.headgate-demo', options.catalog) } = command.optsWithGlobals<{ data?: string }>();
      const { config, environment, output } = contextOf(command, data);
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
        const company = await prepareCompany(
          options.catalog,
          options.seed === undefined ? {} : { seed: Number(options.seed) },
          runtime,
        );
        const { services } = runtime;
        const page = await services.runs.withRun({ runId: company.run.runId }, ({ run, reader }) =>
          readDemoPage(company.catalog, run, reader),
        );
        const names = await services.vault.read(tokensOf(page));
        const { key, secret } = await demoKey(services);
        const steps = nextSteps(page, data, config, secret);
        output.answer({ ...page, catalog: page.catalog.name, key_id: key.keyId, next: steps }, () =>
          [demoText(page, (token) => (token === null ? '' : (names.get(token) ?? ''))), ...steps.text].join(
            '\n',
          ),
        );
      } finally {
        await runtime.close();
      }
    });
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
    if (key.name === 'demo' && key.revokedAt === null) await keys.revoke(key.keyId, now);
  }
  return keys.create({ name: 'demo', role: 'founder' }, now);
}
