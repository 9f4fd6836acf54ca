import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { Option, type Command } from 'commander';
import { z } from 'zod';
import { InputError } from '../../core/errors.js';
import { countArgument } from '../arguments.js';
import { withClient } from '../command.js';
import { withExamples } from '../help.js';
import { showCount } from '../numbers.js';
import { table } from '../output.js';
import { listText, readList } from '../pages.js';
import { addConflictCommands } from './conflicts.js';

const Quarantined = z.looseObject({
  quarantine_id: z.string(),
  status: z.string(),
  reason: z.string(),
  path: z.string(),
  message: z.string(),
  source_name: z.string(),
  source_position: z.string(),
  count: z.number(),
  first_seen_at: z.string(),
  last_seen_at: z.string(),
});
type Quarantined = z.infer<typeof Quarantined>;

const One = z.looseObject({
  event: Quarantined,
  problems: z.array(z.object({ path: z.string(), code: z.string(), message: z.string() })),
  raw: z.object({ encoding: z.enum(['utf-8', 'base64']), content: z.string() }),
});
type One = z.infer<typeof One>;

interface ListOptions {
  readonly status: string;
  readonly reason?: string;
  readonly source?: string;
  readonly limit: number;
}

export function addQuarantineCommand(program: Command): void {
  const quarantine = program
    .command('quarantine')
    .description('events that did not pass, and identities that came with two contents');
  withExamples(quarantine, 'headgate quarantine list', 'headgate quarantine conflicts');
  const list = quarantine
    .command('list')
    .description('events that did not pass, oldest first')
    .addOption(
      new Option('--status <status>', 'which').choices(['open', 'fixed', 'discarded']).default('open'),
    )
    .option('--reason <code>', 'only those refused for this reason')
    .option('--source <name>', 'only those of one file, or http')
    .option('--limit <rows>', 'at most so many', countArgument, 50)
    .action(listQuarantine);
  withExamples(list, 'headgate quarantine list', 'headgate quarantine list --reason unknown_event_type');
  const show = quarantine
    .command('show')
    .argument('<id>', 'as listed: qrn_…')
    .description('one event: every problem found, and its bytes as they came')
    .action(showQuarantined);
  withExamples(show, 'headgate quarantine show qrn_0a1b2c');
  const fix = quarantine
    .command('fix')
    .argument('<id>', 'as listed: qrn_…')
    .requiredOption(
      '--with <file>',
      'the event as it should have been (JSON); - reads it from standard input',
    )
    .description('send what should have been sent, and close the case')
    .action(fixQuarantined);
  withExamples(fix, 'headgate quarantine fix qrn_0a1b2c --with fixed.json');
  const discard = quarantine
    .command('discard')
    .argument('<id>', 'as listed: qrn_…')
    .requiredOption('--reason <text>', 'why; it is kept on record')
    .description('give an event up')
    .action(discardQuarantined);
  withExamples(discard, 'headgate quarantine discard qrn_0a1b2c --reason "a test that got out"');
  addConflictCommands(quarantine);
}

async function listQuarantine(options: ListOptions, command: Command): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const { status, reason, source, limit } = options;
    const list = await readList(
      client,
      { path: '/v1/quarantine', query: { status, reason, source } },
      { rows: 'events', row: Quarantined, limit },
    );
    const body = table(
      ['id', 'reason', 'field', 'what is wrong', 'from', 'times', 'last seen'],
      list.rows.map((event) => [
        event.quarantine_id,
        event.reason,
        event.path,
        event.message,
        `${event.source_name} ${event.source_position}`.trim(),
        showCount(BigInt(event.count)),
        event.last_seen_at,
      ]),
      ['left', 'left', 'left', 'left', 'left', 'right'],
    );
    output.answer(list.answer, () => listText(list, body, `nothing is ${status} in quarantine`));
  });
}

async function showQuarantined(id: string, _options: unknown, command: Command): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const one = await client.call({ path: `/v1/quarantine/${encodeURIComponent(id)}` }, One);
    output.answer(one, () => describeOne(one));
  });
}

function describeOne({ event, problems, raw }: One): string {
  const found = table(
    ['field', 'code', 'what is wrong'],
    problems.map(({ path, code, message }) => [path, code, message]),
  );
  const from = `${event.source_name} ${event.source_position}`.trim();
  return [
    `${event.quarantine_id}: ${event.status}, from ${from}, seen ${event.count} times, first ${event.first_seen_at}`,
    '',
    found,
    '',
    raw.encoding === 'utf-8' ? raw.content : `(not text; in base64) ${raw.content}`,
  ].join('\n');
}

async function fixQuarantined(id: string, options: { with: string }, command: Command): Promise<void> {
  const replacement = await readReplacement(options.with);
  await withClient(command, async (client, { output }) => {
    const event = await client.call(
      {
        method: 'POST',
        path: `/v1/quarantine/${encodeURIComponent(id)}/fix`,
        body: { bytes: Buffer.from(replacement), type: 'application/json' },
      },
      Quarantined,
    );
    output.answer(event, () => `${event.quarantine_id} is fixed; the next transform counts it`);
  });
}

async function readReplacement(file: string): Promise<string> {
  if (file === '-') return text(process.stdin);
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new InputError('file_not_found', `file ${file}: there is no such file, or it cannot be read`, {
      cause,
    });
  });
}

async function discardQuarantined(id: string, options: { reason: string }, command: Command): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const event = await client.call(
      { method: 'POST', path: `/v1/quarantine/${encodeURIComponent(id)}/discard`, json: options },
      Quarantined,
    );
    output.answer(event, () => `${event.quarantine_id} is discarded`);
  });
}
