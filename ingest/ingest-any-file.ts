import { basename } from 'node:path';
import { InputError } from '../core/errors.js';
import type { Instant } from '../core/time.js';
import { ingestCsvFile } from './csv/ingest-csv-file.js';
import { openFileBytes } from './files/file-bytes.js';
import type { FileReport } from './files/file-report.js';
import { ingestNdjsonFile, type FileOptions, type FileServices } from './files/ingest-file.js';

export interface AnyFileOptions extends FileOptions {
  /** Path of a mapping file; needed for CSV. */
  readonly mapping?: string;
}

/** Takes in a file by what its name says it is: NDJSON (.ndjson, .jsonl, .json) or CSV (.csv, .tsv, .txt), each also packed (.gz, .zst). */
export async function ingestAnyFile(
  path: string,
  services: FileServices,
  options: AnyFileOptions,
  now: Instant,
): Promise<FileReport> {
  const kind = kindOf(basename(path));
  // What is no text at all is said first: a mapping would not help it.
  await (await openFileBytes(path)).close();
  if (kind === 'csv' && options.mapping === undefined) {
    throw new InputError(
      'invalid_argument',
      `file ${basename(path)}: a CSV needs a mapping that says what its columns mean; ` +
        'add --mapping <file.yaml> (fixtures/mappings has an example)',
    );
  }
  if (kind === 'ndjson' && options.mapping !== undefined) {
    throw new InputError(
      'invalid_argument',
      `file ${basename(path)}: NDJSON takes no mapping; is the file a CSV? Name it .csv`,
    );
  }
  return options.mapping === undefined
    ? ingestNdjsonFile(path, services, options, now)
    : ingestCsvFile(path, options.mapping, services, options, now);
}

function kindOf(name: string): 'csv' | 'ndjson' | 'unknown' {
  const plain = name.toLowerCase().replace(/\.(gz|zst)$/, '');
  if (/\.(csv|tsv|txt)$/.test(plain)) return 'csv';
  return /\.(ndjson|jsonl|json)$/.test(plain) ? 'ndjson' : 'unknown';
}
