const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

export interface CsvDialect {
  readonly delimiter: string;
  readonly quote: string;
}

/** A row as it lies in the file, without its line break; a quoted cell may hold line breaks of its own. */
export interface CsvRecord {
  readonly bytes: Buffer;
  /** 0-based line of the chunk on which it begins. */
  readonly line: number;
}

export type CsvCells =
  { readonly ok: true; readonly cells: readonly string[] } | { readonly ok: false; readonly message: string };

/**
 * End of the last whole record that ends within `limit` bytes, or 0. A quote opens only at the start of a cell, so
 * a stray one inside (5" pipe) is text.
 */
export function endOfLastRecord(bytes: Buffer, limit: number, dialect: CsvDialect): number {
  const scan = new RecordScan(dialect);
  let end = 0;
  for (let at = 0; at < limit; at += 1) if (scan.endsRecord(bytes[at])) end = at + 1;
  return end;
}

/** Records of which each is known to be readable. */
export function countRecords(bytes: Buffer, dialect: CsvDialect): number {
  const scan = new RecordScan(dialect);
  let count = 0;
  for (const byte of bytes) if (scan.endsRecord(byte)) count += 1;
  return count;
}

/**
 * Every record of a chunk. One over several lines that cannot be read is its first line alone: a quote that nobody
 * closed then spoils one row, and not all up to the next quote.
 */
export function* recordsOf(bytes: Buffer, dialect: CsvDialect): Generator<CsvRecord> {
  let line = 0;
  for (let start = 0; start < bytes.length;) {
    const firstBreak = bytes.indexOf(LINE_FEED, start);
    const firstEnd = firstBreak === -1 ? bytes.length : firstBreak + 1;
    const whole = endOfRecord(bytes, start, dialect);
    const isReadable =
      whole === firstEnd ||
      cellsOf(withoutLineBreak(bytes.subarray(start, whole)).toString('latin1'), dialect).ok;
    const end = isReadable ? whole : firstEnd;
    yield { bytes: withoutLineBreak(bytes.subarray(start, end)), line };
    line += lineBreaksIn(bytes.subarray(start, end));
    start = end;
  }
}

function endOfRecord(bytes: Buffer, start: number, dialect: CsvDialect): number {
  const scan = new RecordScan(dialect);
  for (let at = start; at < bytes.length; at += 1) if (scan.endsRecord(bytes[at])) return at + 1;
  return bytes.length;
}

/** The cells of one record. `""` inside quotes is a quote. */
export function cellsOf(record: string, { delimiter, quote }: CsvDialect): CsvCells {
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    if (record[at] === quote) {
      const close = closingQuote(record, at, quote);
      if (close === -1) return { ok: false, message: 'a quoted cell is not closed' };
      cells.push(record.slice(at + 1, close).replaceAll(quote + quote, quote));
      at = close + 1;
      if (at < record.length && record[at] !== delimiter) {
        return {
          ok: false,
          message: 'text follows the closing quote of a cell; double a quote inside quotes',
        };
      }
    } else {
      const end = record.indexOf(delimiter, at);
      cells.push(record.slice(at, end === -1 ? record.length : end));
      at = end === -1 ? record.length : end;
    }
    if (at >= record.length) return { ok: true, cells };
    at += 1;
  }
}

/** Reads byte by byte where records end. UTF-8 has no ASCII byte inside a longer character. */
class RecordScan {
  private isQuoted = false;
  private isCellStart = true;
  private readonly delimiter: number;
  private readonly quote: number;

  constructor({ delimiter, quote }: CsvDialect) {
    this.delimiter = delimiter.charCodeAt(0);
    this.quote = quote.charCodeAt(0);
  }

  endsRecord(byte: number | undefined): boolean {
    const closes = this.isQuoted && byte === this.quote;
    if (closes || (this.isCellStart && byte === this.quote)) this.isQuoted = !this.isQuoted;
    const ends = !this.isQuoted && byte === LINE_FEED;
    // Behind a closing quote another one opens again: together they are one quote of the text.
    this.isCellStart = !this.isQuoted && (closes || ends || byte === this.delimiter);
    return ends;
  }
}

function closingQuote(record: string, open: number, quote: string): number {
  let at = record.indexOf(quote, open + 1);
  while (at !== -1 && record[at + 1] === quote) at = record.indexOf(quote, at + 2);
  return at;
}

function withoutLineBreak(bytes: Buffer): Buffer {
  let end = bytes.length;
  if (end > 0 && bytes[end - 1] === LINE_FEED) end -= 1;
  if (end > 0 && bytes[end - 1] === CARRIAGE_RETURN) end -= 1;
  return bytes.subarray(0, end);
}

function lineBreaksIn(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) count += 1;
  return count;
}
