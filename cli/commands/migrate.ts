import type { Command } from 'commander';
import { RefusedError } from '../../core/errors.js';
import { directoryHolder } from '../../platform/data-directory.js';
import { contextOf } from '../command.js';
import { withExamples } from '../help.js';

export function addMigrateCommand(program: Command): void {
  const migrate = program
    .command('migrate')
    .description('bring a data directory to this version; it needs the directory to itself')
    .action(migrateDirectory);
  withExamples(migrate, 'headgate migrate', 'headgate migrate --data /srv/headgate');
}

async function migrateDirectory(_options: unknown, command: Command): Promise<void> {
  const { config, environment, output } = contextOf(command);
  const holder = directoryHolder(config.dataDirectory);
  if (holder?.server != null) {
    // Other commands would go through the server; this one changes what stands under it.
    throw new RefusedError(
      'data_directory_locked',
      `the data directory is held by process ${holder.pid} (${holder.command}, serving ${holder.server.url}): stop it first, ` +
        'for tables cannot be changed under it',
      { details: { pid: holder.pid, command: holder.command } },
    );
  }
  const [{ openRuntime, systemClock }, { shippedMigrations }] = await Promise.all([
    import('../runtime.js'),
    import('../../platform/sql/migrations.js'),
  ]);
  const runtime = await openRuntime({
    config,
    command: 'headgate migrate',
    clock: systemClock,
    environment,
    onProgress: (message) => {
      output.progress(message);
    },
  });
  // Opening is what migrates: every command does it, this one does nothing else.
  await runtime.close();
  const migrations = shippedMigrations().map(({ tag }) => tag);
  output.answer(
    { data: runtime.directory.root, migrations },
    () => `${runtime.directory.root} is at this version: ${migrations.at(-1) ?? 'no migrations'}`,
  );
}
