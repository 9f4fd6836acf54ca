import { basename } from 'node:path';
import { InputError } from '../core/errors.js';
import type { Instant } from '../core/time.js';
import { ingestCsvFile, ingestTable } from './csv/ingest-csv-file.js';
import { mappedColumns } from './csv/mapped-columns.js';
import { loadMapping } from './csv/mapping.js';
import { openFileBytes, readFileHead } from './files/file-bytes.js';
import type { FileReport } from './files/file-report.js';
import { ingestLines, ingestNdjsonFile, type FileOptions, type FileServices } from './files/ingest-file.js';
import { isParquet } from './files/sniff.js';
import { eventLines } from './parquet/event-lines.js';
import { mappedCellRecords, parquetDialect } from './parquet/mapped-cells.js';
import { openParquetText } from './parquet/parquet-text.js';

export interface AnyFileOptions extends FileOptions {
  /** Path of a mapping file; needed for CSV, and for Parquet whose rows are no events. */
  readonly mapping?: string;
}

/**
 * Takes in a file: Parquet by its first bytes; else by what its name says that its text is, NDJSON (.ndjson, .jsonl, .json) or CSV
 * (.csv, .tsv, .txt), each also packed (.gz, .zst).
 */
export async function ingestAnyFile(
  path: string,
  services: FileServices,
  options: AnyFileOptions,
  now: Instant,
): Promise<FileReport> {
  const name = basename(path);
  const { mapping } = options;
  if (isParquet(await readFileHead(path))) return ingestParquetFile(path, services, options, now);
  const kind = kindOf(name);
  if (kind === 'parquet') {
    throw new InputError('unsupported_format', `file ${name}: its name says Parquet and its bytes do not`, {
      details: { file: name },
    });
  }
  // What is no text at all is said first: a mapping would not help it.
  await (await openFileBytes(path)).close();
  if (kind === 'csv' && mapping === undefined) {
    throw new InputError(
      'invalid_argument',
      `file ${name}: a CSV needs a mapping that says what its columns mean; ` +
        'add --mapping <file.yaml> (fixtures/mappings has an example)',
    );
  }
  if (kind === 'ndjson' && mapping !== undefined) {
    throw new InputError(
      'invalid_argument',
      `file ${name}: NDJSON takes no mapping; is the file a CSV? Name it .csv`,
    );
  }
  return mapping === undefined
    ? ingestNdjsonFile(path, services, options, now)
    : ingestCsvFile(path, mapping, services, options, now);
}

/** By a mapping, as a table; without one, its rows are events already. */
async function ingestParquetFile(
  path: string,
  services: FileServices,
  options: AnyFileOptions,
  now: Instant,
): Promise<FileReport> {
  const { temporaryDirectory } = services;
  if (options.mapping === undefined) {
    const file = await openParquetText(path, temporaryDirectory, eventLines);
    return ingestLines(file, services, options, now);
  }
  const { mapping, text } = await loadMapping(options.mapping);
  const dialect = parquetDialect(mapping);
  const file = await openParquetText(path, temporaryDirectory, (opened) =>
    mappedCellRecords(opened, dialect),
  );
  const table = { file, columns: mappedColumns(dialect), hasHeader: false };
  return ingestTable(table, { mapping: dialect, text }, services, options, now);
}

function kindOf(name: string): 'csv' | 'ndjson' | 'parquet' | 'unknown' {
  const plain = name.toLowerCase().replace(/\.(gz|zst)$/, '');
  if (/\.(csv|tsv|txt)$/.test(plain)) return 'csv';
  if (plain.endsWith('.parquet')) return 'parquet';
  return /\.(ndjson|jsonl|json)$/.test(plain) ? 'ndjson' : 'unknown';
}
