import { Command } from 'commander';
import { codeRevision } from './code-revision.js';
import { addBillingCommand } from './commands/billing.js';
import { addCatalogCommand } from './commands/catalog.js';
import { addDashboardsCommand } from './commands/dashboards.js';
import { addDemoCommand } from './commands/demo.js';
import { addDoctorCommand } from './commands/doctor.js';
import { addDrillCommand } from './commands/drill.js';
import { addIngestCommand } from './commands/ingest.js';
import { addKeysCommand } from './commands/keys.js';
import { addLakeCommand } from './commands/lake.js';
import { addLeadsCommand } from './commands/leads.js';
import { addMetricsCommand } from './commands/metrics.js';
import { addMigrateCommand } from './commands/migrate.js';
import { addOrgsCommand } from './commands/orgs.js';
import { addPartnersCommand } from './commands/partners.js';
import { addPeopleCommand } from './commands/people.js';
import { addQuarantineCommand } from './commands/quarantine.js';
import { addQuotaCommand } from './commands/quota.js';
import { addReplayCommand } from './commands/replay.js';
import { addRunsCommand } from './commands/runs.js';
import { addServeCommand } from './commands/serve.js';
import { addSqlCommand } from './commands/sql.js';
import { addTargetsCommand } from './commands/targets.js';
import { addTransformCommand } from './commands/transform.js';
import { addUsageCommand, addUsagePeriodsCommand } from './commands/usage.js';
import { withExamples } from './help.js';

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
  addIngestCommand(program);
  addTransformCommand(program);
  addMetricsCommand(program);
  addDrillCommand(program);
  addTargetsCommand(program);
  addOrgsCommand(program);
  addLeadsCommand(program);
  addPartnersCommand(program);
  addUsageCommand(program);
  addQuotaCommand(program);
  addUsagePeriodsCommand(program);
  addBillingCommand(program);
  addSqlCommand(program);
  addRunsCommand(program);
  addCatalogCommand(program);
  addQuarantineCommand(program);
  addReplayCommand(program);
  addServeCommand(program);
  addDashboardsCommand(program);
  addKeysCommand(program);
  addPeopleCommand(program);
  addDoctorCommand(program);
  addMigrateCommand(program);
  addLakeCommand(program);
  withExamples(
    program,
    'headgate demo',
    'headgate ingest events.ndjson && headgate transform && headgate metrics mrr',
    'headgate doctor',
  );
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
