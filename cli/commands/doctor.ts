import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { HeadgateError } from '../../core/errors.js';
import { dataDirectoryLayout, directoryHolder } from '../../platform/data-directory.js';
import { codeRevision } from '../code-revision.js';
import { cacheDirectory } from '../cache-directory.js';
import { contextOf, withClient, type CommandContext } from '../command.js';
import { check, type Check } from '../doctor/check.js';
import { engineChecks, StatusAnswer } from '../doctor/engine-checks.js';
import { diskCheck, directoryCheck, nodeCheck, pythonCheck, secretsCheck } from '../doctor/machine-checks.js';
import { withExamples } from '../help.js';

const SIGNS = { well: '✓', attention: '!', broken: '✗' } as const;

export function addDoctorCommand(program: Command): void {
  const doctor = program
    .command('doctor')
    .description(
      'what is configured, whether it answers, what is behind, and what to do; 1 when something is broken',
    )
    .action(examine);
  withExamples(doctor, 'headgate doctor', 'headgate doctor --data .headgate-demo/fleetprompt --json');
}

async function examine(_options: unknown, command: Command): Promise<void> {
  const context = contextOf(command);
  const { config, environment, output } = context;
  const checks = [
    check('headgate', { configured: 'this command', version: codeRevision(), says: 'runs' }),
    nodeCheck(),
    directoryCheck(config),
    secretsCheck(config),
    diskCheck(config),
    await pythonCheck(config, cacheDirectory(environment)),
    ...(await engines(command, context)),
  ].filter((each) => each !== null);
  const isBroken = checks.some(({ state }) => state === 'broken');
  output.answer({ is_well: !isBroken, checks }, () => describeChecks(checks));
  if (isBroken) process.exitCode = 1;
}

/** Through whoever holds the directory. A directory that is not there is not made by looking at it. */
async function engines(command: Command, { config }: CommandContext): Promise<Check[]> {
  if (!existsSync(dataDirectoryLayout(config.dataDirectory).versionFile)) return [];
  const holder = directoryHolder(config.dataDirectory);
  if (holder !== null && holder.server === null) {
    const says = `busy: ${holder.command} (process ${holder.pid}) has them to itself`;
    return [check('engines', { configured: 'embedded', says, advice: 'ask again when it is done' })];
  }
  try {
    const status = await withClient(command, (client) => client.call({ path: '/v1/status' }, StatusAnswer));
    return [...sameCode(status.code_revision), ...engineChecks(status, Date.now())];
  } catch (error) {
    if (!(error instanceof HeadgateError)) throw error;
    return [check('engines', { state: 'broken', configured: 'embedded', says: error.message })];
  }
}

/** A server that was not started again after an upgrade still runs what it was started with. */
function sameCode(served: string): Check[] {
  if (served === codeRevision()) return [];
  const says = 'the server runs other code than this command';
  return [
    check('server', {
      state: 'attention',
      configured: codeRevision(),
      version: served,
      says,
      advice: 'start headgate serve again',
    }),
  ];
}

function describeChecks(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ part }) => part.length));
  const lines = checks.flatMap(({ part, state, configured, version, says, advice }) => {
    const indent = ' '.repeat(width + 4);
    const about = [configured, ...(version === null ? [] : [`version ${version}`])].join(', ');
    return [
      `${SIGNS[state]} ${part.padEnd(width)}  ${says}`,
      `${indent}${about}`,
      ...(advice === null ? [] : [`${indent}→ ${advice}`]),
    ];
  });
  const [broken, attention] = (['broken', 'attention'] as const).map(
    (state) => checks.filter((each) => each.state === state).length,
  );
  return [...lines, '', `${broken ?? 0} broken, ${attention ?? 0} to look at, ${checks.length} checked`].join(
    '\n',
  );
}
