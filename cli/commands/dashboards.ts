import type { Command } from 'commander';
import { portArgument } from '../arguments.js';
import { contextOf, type CommandContext } from '../command.js';
import { withExamples } from '../help.js';

export function addDashboardsCommand(program: Command): void {
  const dashboards = program
    .command('dashboards')
    .description('pages for founders, finance, sales and partner managers');
  const build = dashboards
    .command('build')
    .description(
      'build the pages of this version, once; they hold no data, so every company of yours has the same',
    )
    .action(async (_options: unknown, command: Command) => {
      const context = contextOf(command);
      const { environment, output } = context;
      const { directory, isNew } = await ensure(context);
      output.answer({ directory, is_new: isNew }, () =>
        [
          `${isNew ? 'Built' : 'Built already'}: ${directory}`,
          `See them:  headgate serve${environment['HEADGATE_DATA'] === undefined ? '' : ` --data ${environment['HEADGATE_DATA']}`}, then /dashboards; sign in with a key (headgate keys create Ada --role founder)`,
        ].join('\n'),
      );
    });
  const serve = dashboards
    .command('serve')
    .description('build the pages where they are not built yet, then do what `headgate serve` does')
    .option('--host <host>', 'the address to listen on (default: $HEADGATE_HOST or 127.0.0.1)')
    .option('--port <port>', 'the port, 0 for a free one (default: $HEADGATE_PORT or 8471)', portArgument)
    .action(async (options: { host?: string; port?: string }, command: Command) => {
      const context = contextOf(command);
      await ensure(context);
      const { serveUntilStopped } = await import('../serving.js');
      await serveUntilStopped({ ...options, role: 'all' }, context);
    });
  withExamples(dashboards, 'headgate dashboards serve --data .headgate-demo/fleetprompt');
  withExamples(build, 'headgate dashboards build');
  withExamples(serve, 'headgate dashboards serve', 'headgate dashboards serve --port 0');
}

async function ensure({ environment, output }: CommandContext) {
  const { ensureSite } = await import('../dashboards/build-site.js');
  return ensureSite({
    environment,
    onProgress: (message) => {
      output.progress(message);
    },
  });
}
