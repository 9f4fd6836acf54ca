import { join } from 'node:path';
import { Option, type Command } from 'commander';
import { countArgument } from '../arguments.js';
import { contextOf } from '../command.js';
import { DEMO_CATALOGS, type DemoCatalog } from '../demo/demo-catalogs.js';
import { withExamples } from '../help.js';

interface Options {
  readonly catalog: DemoCatalog;
  readonly seed?: number;
  readonly pages: boolean;
  readonly serve?: boolean;
}

export function addDemoCommand(program: Command): void {
  const demo = program
    .command('demo')
    .description('simulate a company, measure it, show its numbers, and link to its pages')
    .addOption(
      new Option('--catalog <name>', 'which company').choices([...DEMO_CATALOGS]).default('fleetprompt'),
    )
    .option('--seed <number>', 'another company of the same kind', countArgument)
    .option('--no-pages', 'numbers alone: build no pages (never built with --json)')
    .option('--serve', 'serve the pages until Ctrl-C (default: where this is a terminal)')
    .option('--no-serve', 'build them, and end')
    .action(async ({ catalog, seed, pages, serve }: Options, command: Command) => {
      const { data = join('.headgate-demo', catalog) } = command.optsWithGlobals<{ data?: string }>();
      const { showDemo } = await import('../demo/show-demo.js');
      const context = contextOf(command, data);
      await showDemo(
        catalog,
        {
          ...{ data, ...(seed === undefined ? {} : { seed }) },
          pages: pages && !context.output.isJson,
          serve: serve ?? (process.stdin.isTTY && process.stdout.isTTY),
        },
        context,
      );
    });
  withExamples(demo, 'headgate demo', 'headgate demo --catalog frontier', 'headgate demo --no-pages');
}
