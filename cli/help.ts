import type { Command } from 'commander';

/** Ends a command's help with lines that can be typed as they stand. */
export function withExamples(command: Command, ...examples: readonly [string, ...string[]]): Command {
  const title = examples.length === 1 ? 'Example:' : 'Examples:';
  return command.addHelpText('after', `\n${[title, ...examples.map((line) => `  ${line}`)].join('\n')}`);
}
