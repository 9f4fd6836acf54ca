import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { createProgram } from './program.js';

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

const named = everyCommand(createProgram()).map((command) => {
  const path: string[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) path.unshift(at.name());
  return [path.join(' '), command] as const;
});

function helpOf(command: Command): string {
  let help = '';
  command.configureOutput({
    writeOut: (text) => {
      help += text;
    },
  });
  command.outputHelp();
  return help;
}

test.each(named)(
  '%s: its help says what it is for and shows an example that begins with headgate',
  (_name, command) => {
    const help = helpOf(command);
    expect(command.description()).not.toBe('');
    expect(help).toMatch(/\nExamples?:\n {2}\S.*headgate|\nExamples?:\n {2}headgate /);
  },
);

test.each(named)('%s: takes --data and --json', (_name, command) => {
  expect(command.options.map(({ long }) => long)).toEqual(expect.arrayContaining(['--data', '--json']));
});

test.each(named)('%s: every argument and option says what it is', (_name, command) => {
  const undescribed = [...command.options, ...command.registeredArguments].filter(
    ({ description }) => description === '',
  );
  expect(undescribed).toEqual([]);
});

test('the commands that the foundation promises are all there', () => {
  const promised = [
    ...[
      'demo',
      'serve',
      'ingest',
      'replay',
      'transform',
      'metrics',
      'drill',
      'sql',
      'doctor',
      'migrate',
      'usage',
    ],
    ...['catalog', 'quarantine', 'billing', 'leads', 'partners', 'keys', 'runs', 'targets', 'orgs'],
  ];
  expect(createProgram().commands.map((command) => command.name())).toEqual(expect.arrayContaining(promised));
});
