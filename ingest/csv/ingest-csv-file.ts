import { isUtf8 } from 'node:buffer';
import { InputError } from '../../core/errors.js';
import type { EventProblem } from '../../core/events/problems.js';
import { writeJson } from '../../core/json.js';
import { didYouMean } from '../../core/suggest.js';
import type { Instant } from '../../core/time.js';
import { openFileBytes, type FileBytes } from '../files/file-bytes.js';
import { reportOfNothing, withChunk, type FileReport } from '../files/file-report.js';
import { knownEnds, type FileOptions, type FileServices } from '../files/ingest-file.js';
import { cutAtLines, type LineChunk } from '../files/line-chunks.js';
import { isBlank } from '../files/safe-lines.js';
import { storeChunk } from '../files/store-chunk.js';
import { tokeniserFor } from '../personal-tokens.js';
import type { Refusal } from '../quarantine-store.js';
import { readEventValue, tooLarge, type AcceptedEvent, type ReadingRules } from '../read-event.js';
import { loadMapping, type Mapping, type MappingFile } from './mapping.js';
import { mappedColumns } from './mapped-columns.js';
import { cellsOf, countRecords, endOfLastRecord, recordsOf, type CsvRecord } from './records.js';
import { eventsOfRow } from './row-events.js';
import { sha256 } from '../../platform/sha256.js';

const CHUNK_BYTES = 1 << 20;
const HEAD_BYTES = 64 << 10;

interface CsvContext {
  readonly file: Pick<FileBytes, 'name' | 'unit'>;
  readonly mapping: Mapping;
  readonly columns: readonly string[];
  readonly hasHeader: boolean;
  readonly services: FileServices;
  readonly now: Instant;
}

/** What became of a chunk's rows. */
interface ReadRows {
  readonly accepted: AcceptedEvent[];
  readonly refusals: Refusal[];
}

/**
 * Takes in a CSV file by a mapping, in which one row may make several events. It is as resumable as NDJSON is; with
 * another mapping the same file is another file.
 *
 * @throws InputError when the mapping does not fit the file, or the file is not text
 */
export async function ingestCsvFile(
  path: string,
  mappingPath: string,
  services: FileServices,
  options: FileOptions,
  now: Instant,
): Promise<FileReport> {
  const { mapping, text } = await loadMapping(mappingPath);
  const columns = mapping.columns ?? (await readHeader(path, mapping));
  const file = await openFileBytes(path);
  const table = { file, columns, hasHeader: mapping.columns === undefined };
  return ingestTable(table, { mapping, text }, services, options, now);
}

/** A table as CSV in the mapping's dialect. */
export interface CsvTable {
  readonly file: FileBytes;
  readonly columns: readonly string[];
  /** Whether the first record names the columns. */
  readonly hasHeader: boolean;
}

/** The same, of whatever gives its rows as records of CSV. Closes it. */
export async function ingestTable(
  { file, columns, hasHeader }: CsvTable,
  { mapping, text }: MappingFile,
  services: FileServices,
  options: FileOptions,
  now: Instant,
): Promise<FileReport> {
  try {
    requireColumns(file.name, mapping, columns);
    const chunks = cutAtLines(file.pieces, {
      chunkBytes: options.chunkBytes ?? Math.max(CHUNK_BYTES, 2 * services.limits.eventBytes),
      overlongHeadBytes: HEAD_BYTES,
      known: await knownEnds(services.warehouse),
      seed: sha256(text),
      endOfLastRecord: (bytes, limit) => endOfLastRecord(bytes, limit, mapping),
      ...(file.unit === 'row' ? { countLines: (bytes: Buffer) => countRecords(bytes, mapping) } : {}),
    });
    return await ingestChunks(file, chunks, { file, mapping, columns, hasHeader, services, now }, options);
  } finally {
    await file.close();
  }
}

async function ingestChunks(
  file: FileBytes,
  chunks: AsyncIterable<LineChunk>,
  context: CsvContext,
  { onProgress }: FileOptions,
): Promise<FileReport> {
  let report = reportOfNothing(file);
  for await (const chunk of chunks) {
    const read = await readRows(chunk, context);
    report = withChunk(report, await storeChunk(read, chunk, file.name, context.services, context.now));
    onProgress?.({ doneBytes: file.positionBytes(), totalBytes: file.sizeBytes, ...report });
  }
  onProgress?.({ doneBytes: file.sizeBytes, totalBytes: file.sizeBytes, ...report });
  return report;
}

async function readRows(chunk: LineChunk, context: CsvContext): Promise<ReadRows> {
  const { services, mapping, file, hasHeader, now } = context;
  const { limits, vault, personalKeys } = services;
  if (chunk.overlongBytes !== null) {
    const { problems } = tooLarge(chunk.overlongBytes, limits.eventBytes);
    const sourcePosition = `${file.unit} ${chunk.firstLine}`;
    return {
      accepted: [],
      refusals: [{ raw: chunk.bytes, sourceName: file.name, sourcePosition, problems }],
    };
  }
  const rules = {
    now,
    futureSkewMs: limits.futureSkewSeconds * 1000,
    maxEventBytes: limits.eventBytes,
    tokeniser: await tokeniserFor(vault, [chunk.bytes]),
    personalKeys: await personalKeys(),
  };
  const rows: ReadRows = { accepted: [], refusals: [] };
  let recordsBefore = 0;
  for (const record of recordsOf(chunk.bytes, mapping)) {
    const line = chunk.firstLine + (file.unit === 'row' ? recordsBefore : record.line);
    recordsBefore += 1;
    const isHeader = line === 1 && hasHeader;
    if (!isHeader && !isBlank(record.bytes)) readRow(record, line, context, rules, rows);
  }
  return rows;
}

function readRow(
  { bytes }: CsvRecord,
  line: number,
  { mapping, columns, file }: CsvContext,
  rules: ReadingRules,
  into: ReadRows,
): void {
  const refuse = (raw: Uint8Array, problems: Refusal['problems'], event = ''): void => {
    into.refusals.push({
      raw,
      sourceName: file.name,
      sourcePosition: `${file.unit} ${line}${event}`,
      problems,
    });
  };
  const reading = readCells(bytes, mapping, columns);
  if (!reading.ok) {
    refuse(bytes, [reading.problem]);
    return;
  }
  for (const event of eventsOfRow({ cells: reading.cells, zone: mapping.zone }, mapping)) {
    if (!event.ok) {
      refuse(bytes, [event.problem], ` (${event.type})`);
      continue;
    }
    const read = readEventValue(event.value, rules);
    if (read.ok) into.accepted.push(read);
    // The event as built is what can be corrected and sent again; the row alone would need the mapping.
    else refuse(Buffer.from(writeJson(event.value)), read.problems, ` (${event.type})`);
  }
}

type CellsReading =
  | { readonly ok: true; readonly cells: ReadonlyMap<string, string> }
  | { readonly ok: false; readonly problem: EventProblem };

function readCells(bytes: Buffer, mapping: Mapping, columns: readonly string[]): CellsReading {
  const bad = (code: EventProblem['code'], message: string): CellsReading => ({
    ok: false,
    problem: { path: '', code, message: `the row ${message}` },
  });
  if (mapping.encoding === 'utf-8' && !isUtf8(bytes)) {
    return bad(
      'invalid_utf8',
      'is not UTF-8; say encoding: latin1 in the mapping, or save the file as UTF-8',
    );
  }
  const record = cellsOf(bytes.toString(mapping.encoding === 'latin1' ? 'latin1' : 'utf8'), mapping);
  if (!record.ok) return bad('invalid_text', `cannot be read: ${record.message}`);
  if (record.cells.length !== columns.length) {
    return bad(
      'invalid_text',
      `has ${record.cells.length} cells and there are ${columns.length} columns; is a quote or a delimiter wrong?`,
    );
  }
  return { ok: true, cells: new Map(columns.map((column, index) => [column, record.cells[index] ?? ''])) };
}

/** The first row, read apart: a file that is resumed is not read from its start again. */
async function readHeader(path: string, mapping: Mapping): Promise<readonly string[]> {
  const file = await openFileBytes(path);
  try {
    const head: Uint8Array[] = [];
    for await (const piece of file.pieces) {
      head.push(piece.subarray(0, HEAD_BYTES));
      break;
    }
    const bytes = Buffer.concat(head);
    const text = bytes.toString(mapping.encoding === 'latin1' ? 'latin1' : 'utf8').replace(/^\ufeff/, '');
    const [first] = recordsOf(Buffer.from(text), mapping);
    const header = cellsOf(first?.bytes.toString('utf8') ?? '', mapping);
    if (header.ok && bytes.length > 0) return header.cells.map((cell) => cell.trim());
    throw new InputError(
      'invalid_file',
      `file ${file.name}: ${bytes.length === 0 ? 'is empty: it' : 'it'} has no header row; name its columns in the mapping`,
    );
  } finally {
    await file.close();
  }
}

function requireColumns(fileName: string, mapping: Mapping, columns: readonly string[]): void {
  const twice = columns.find((column, index) => columns.indexOf(column) !== index);
  if (twice !== undefined) {
    throw new InputError('invalid_file', `file ${fileName}: has the column "${twice}" twice; rename one`);
  }
  const missing = mappedColumns(mapping).filter((column) => !columns.includes(column));
  if (missing.length === 0) return;
  const problems = missing.map((column) => `no column "${column}"${didYouMean(column, columns)}`);
  throw new InputError(
    'invalid_mapping',
    `file ${fileName}: ${problems.join('; ')} (mapping ${mapping.mapping}). It has: ${columns.join(', ')}. ` +
      `Is the delimiter "${mapping.delimiter}"?`,
    { details: { problems } },
  );
}
