import { Option, type Command } from 'commander';
import { portArgument } from '../arguments.js';
import { contextOf } from '../command.js';
import { withExamples } from '../help.js';
import { ROLES, type Role } from '../roles.js';

interface Options {
  readonly host?: string;
  readonly port?: string;
  readonly role: Role;
}

export function addServeCommand(program: Command): void {
  const command = program
    .command('serve')
    .description('serve the API and hold the data directory; other commands then go through this process')
    .option('--host <host>', 'the address to listen on (default: $HEADGATE_HOST or 127.0.0.1)')
    .option('--port <port>', 'the port, 0 for a free one (default: $HEADGATE_PORT or 8471)', portArgument)
    .addOption(
      new Option(
        '--role <role>',
        'what this process does, where several share DATABASE_URL and CLICKHOUSE_URL',
      )
        .choices([...ROLES])
        .default('all'),
    )
    .action(async (options: Options, command: Command) => {
      const { serveUntilStopped } = await import('../serving.js');
      await serveUntilStopped(options, contextOf(command));
    });
  withExamples(
    command,
    'headgate serve',
    'headgate serve --port 0 --data .headgate-demo/fleetprompt',
    'headgate serve --role consumer',
  );
}
