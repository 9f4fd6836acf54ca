import { Command } from 'commander';
import { codeRevision } from './code-revision.js';
import { addDemoCommand } from './commands/demo.js';
import { addDrillCommand } from './commands/drill.js';
import { addKeysCommand } from './commands/keys.js';
import { addMetricsCommand } from './commands/metrics.js';
import { addTransformCommand } from './commands/transform.js';

/** The `headgate` command: global options, and a file per command. */
export function createProgram(): Command {
  const program = new Command('headgate')
    .description('Go-to-market numbers that trace back to the event, and overages billed exactly once.')
    .version(codeRevision(), '-V, --version')
    .option('--data <directory>', 'the data directory (default: $HEADGATE_DATA or .headgate)')
    .option('--json', 'print one JSON document instead of text')
    .showHelpAfterError('(headgate --help shows what there is)')
    .exitOverride();
  addDemoCommand(program);
  addTransformCommand(program);
  addMetricsCommand(program);
  addDrillCommand(program);
  addKeysCommand(program);
  shareGlobalOptions(program);
  return program;
}

/** Global options may stand before or after the command. */
function shareGlobalOptions(program: Command): void {
  const visit = (command: Command): void => {
    for (const child of command.commands) {
      child.option('--data <directory>', 'the data directory').option('--json', 'print one JSON document');
      child.exitOverride();
      visit(child);
    }
  };
  visit(program);
}
