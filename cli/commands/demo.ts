import { join } from 'node:path';
import { Option, type Command } from 'commander';
import { countArgument } from '../arguments.js';
import { contextOf } from '../command.js';
import { DEMO_CATALOGS, type DemoCatalog } from '../demo/demo-catalogs.js';
import { withExamples } from '../help.js';

interface Options {
  readonly catalog: DemoCatalog;
  readonly seed?: number;
}

export function addDemoCommand(program: Command): void {
  const demo = program
    .command('demo')
    .description('simulate a company, measure it, and show its numbers')
    .addOption(
      new Option('--catalog <name>', 'which company').choices([...DEMO_CATALOGS]).default('fleetprompt'),
    )
    .option('--seed <number>', 'another company of the same kind', countArgument)
    .action(async ({ catalog, seed }: Options, command: Command) => {
      const { data = join('.headgate-demo', catalog) } = command.optsWithGlobals<{ data?: string }>();
      const { showDemo } = await import('../demo/show-demo.js');
      await showDemo(catalog, { data, ...(seed === undefined ? {} : { seed }) }, contextOf(command, data));
    });
  withExamples(demo, 'headgate demo', 'headgate demo --catalog frontier');
}
