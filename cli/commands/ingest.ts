import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import type { Command } from 'commander';
import { z } from 'zod';
import { HeadgateError, InputError } from '../../core/errors.js';
import { withClient, type CommandContext } from '../command.js';
import type { Client } from '../client.js';
import { withExamples } from '../help.js';
import { showCount } from '../numbers.js';
import { table, type Output } from '../output.js';
import type { Runtime } from '../runtime.js';

const FileAnswer = z.object({
  name: z.string(),
  accepted: z.number(),
  quarantined: z.number(),
  is_known: z.boolean(),
});

/** What became of a file: taken in, or why not. */
interface TakenIn {
  readonly accepted: number;
  readonly quarantined: number;
  readonly is_known: boolean;
}
type FileOutcome = { readonly file: string } & (
  TakenIn | { readonly error: { readonly code: string; readonly detail: string } }
);

const STDIN = '-';

export function addIngestCommand(program: Command): void {
  const ingest = program
    .command('ingest')
    .argument(
      '<file...>',
      'NDJSON or CSV files, also .gz and .zst, or Parquet; - reads NDJSON from standard input',
    )
    .description('take in events from files; the same file again changes nothing')
    .option(
      '--mapping <file>',
      'for CSV, and for Parquet whose rows are no events: what its columns mean (YAML)',
    )
    .action(ingestFiles);
  withExamples(
    ingest,
    'headgate ingest events.ndjson more-events.ndjson.gz',
    'headgate ingest subscriptions.csv --mapping fixtures/mappings/subscription-periods.yaml',
    'generate-events | headgate ingest -',
  );
}

async function ingestFiles(
  files: readonly string[],
  options: { readonly mapping?: string },
  command: Command,
): Promise<void> {
  const work = async (client: Client, { output }: CommandContext): Promise<void> => {
    const outcomes: FileOutcome[] = [];
    for (const file of files) outcomes.push(await outcomeOf(file, options, client, output));
    output.answer({ files: outcomes }, () => describeOutcomes(outcomes));
    for (const outcome of outcomes) {
      if ('error' in outcome) process.stderr.write(`error: ${outcome.error.detail}\n`);
    }
    if (outcomes.some((outcome) => 'error' in outcome)) process.exitCode = 1;
  };
  await withClient(command, work, { creates: true });
}

/** A bad file stops none of the others; whatever was taken in before it broke off stays. */
async function outcomeOf(
  file: string,
  { mapping }: { readonly mapping?: string },
  client: Client,
  output: Output,
): Promise<FileOutcome> {
  try {
    if (file !== STDIN && client.runtime !== null) {
      return await ingestHere(file, mapping, client.runtime, output);
    }
    return await ingestThroughApi(file, mapping, client, output);
  } catch (error) {
    if (!(error instanceof HeadgateError)) throw error;
    return { file, error: { code: error.code, detail: error.message } };
  }
}

/** In this process the engine reads the file itself. */
async function ingestHere(
  file: string,
  mapping: string | undefined,
  { services }: Runtime,
  output: Output,
): Promise<FileOutcome> {
  const { ingestAnyFile } = await import('../../ingest/ingest-any-file.js');
  const { size } = await stat(file).catch(() => ({ size: 0 }));
  const bar = output.bar(basename(file), size);
  try {
    const report = await ingestAnyFile(
      file,
      services.ingest,
      {
        ...(mapping === undefined ? {} : { mapping }),
        onProgress: ({ doneBytes, accepted }) => {
          bar.update(doneBytes, `${showCount(BigInt(accepted))} events`);
        },
      },
      services.clock(),
    );
    const { accepted, quarantined, isKnown } = report;
    return { file, accepted, quarantined, is_known: isKnown };
  } finally {
    bar.stop();
  }
}

/** A server holds the directory, or the events come from standard input: the bytes stream through the API. */
async function ingestThroughApi(
  file: string,
  mapping: string | undefined,
  client: Client,
  output: Output,
): Promise<FileOutcome> {
  const name = file === STDIN ? 'stdin.ndjson' : basename(file);
  const query = { name, mapping: mapping === undefined ? undefined : await readMapping(mapping) };
  const size = file === STDIN ? null : await sizeOf(file);
  const bar = size === null ? null : output.bar(`${name} to the server`, size);
  try {
    const source = file === STDIN ? process.stdin : createReadStream(file);
    let doneBytes = 0;
    const counted = source.map((piece: Buffer) => {
      doneBytes += piece.length;
      bar?.update(doneBytes, `${showCount(BigInt(doneBytes))} bytes`);
      // The bar has done its part: what follows is the server's work.
      if (doneBytes === size) bar?.stop();
      return piece;
    });
    const body = { bytes: Readable.toWeb(counted), type: 'application/octet-stream' };
    const answer = await client.call({ method: 'POST', path: '/v1/files', query, body }, FileAnswer);
    const { accepted, quarantined, is_known } = answer;
    return { file, accepted, quarantined, is_known };
  } finally {
    bar?.stop();
  }
}

async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch((cause: unknown) => {
    throw new InputError('file_not_found', `file ${file}: there is no such file, or it cannot be read`, {
      cause,
    });
  });
  if (found.isFile()) return found.size;
  throw new InputError('invalid_file', `file ${file}: is not a regular file; give a file's path`);
}

function readMapping(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new InputError('file_not_found', `mapping ${path}: there is no such file, or it cannot be read`, {
      cause,
    });
  });
}

function noteOn({ accepted, quarantined, is_known: isKnown }: TakenIn): string {
  if (isKnown) return 'was taken in before; nothing changed';
  return accepted + quarantined === 0 ? 'is empty' : '';
}

function describeOutcomes(outcomes: readonly FileOutcome[]): string {
  const rows = outcomes.map((outcome) =>
    'error' in outcome
      ? [outcome.file, '–', '–', 'failed']
      : [
          outcome.file,
          showCount(BigInt(outcome.accepted)),
          showCount(BigInt(outcome.quarantined)),
          noteOn(outcome),
        ],
  );
  const isAnyBad = outcomes.some((outcome) => 'quarantined' in outcome && outcome.quarantined > 0);
  return [
    table(['file', 'accepted', 'quarantined', ''], rows, ['left', 'right', 'right']),
    ...(isAnyBad ? ['', 'What did not pass, and why: headgate quarantine list'] : []),
  ].join('\n');
}
