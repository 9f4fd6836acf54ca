import type { Command } from 'commander';
import { contextOf } from '../command.js';
import { withExamples } from '../help.js';
import { showCount } from '../numbers.js';
import { table } from '../output.js';

export function addLakeCommand(program: Command): void {
  const lake = program.command('lake').description('move a company that has outgrown one machine');
  const copy = lake
    .command('copy-to')
    .description(
      'copy an embedded company into DATABASE_URL and CLICKHOUSE_URL, and compare both sides; ' +
        'what was killed goes on, and a second copy copies nothing',
    )
    .action(copyTo);
  withExamples(lake, 'headgate lake copy-to --data /srv/headgate');
  withExamples(
    copy,
    'DATABASE_URL=postgres://… CLICKHOUSE_URL=https://… headgate lake copy-to --data /srv/headgate',
  );
}

async function copyTo(_options: unknown, command: Command): Promise<void> {
  const { config, output } = contextOf(command);
  const [{ copyCompany }, { systemClock }] = await Promise.all([
    import('../copy-company.js'),
    import('../runtime.js'),
  ]);
  const copied = await copyCompany({
    config,
    now: systemClock(),
    onProgress: (message) => {
      output.progress(message);
    },
  });
  output.answer(copied, () => {
    const rows = [
      ...copied.tables.map(({ table: name, rows: held, copied: new_ }) => [
        name,
        showCount(BigInt(held)),
        showCount(BigInt(new_)),
      ]),
      ...copied.streams.map(({ stream, rows: held, days, copiedDays }) => [
        `${stream} events`,
        showCount(held),
        copiedDays === 0 ? '0' : `${copiedDays} of ${days} days`,
      ]),
    ];
    return [
      table(['what', 'there now', 'copied'], rows, ['left', 'right', 'right']),
      '',
      'Every day that went over was compared by count and digest; the directory stays as it was.',
    ].join('\n');
  });
}
