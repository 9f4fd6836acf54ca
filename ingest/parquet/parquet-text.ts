import { InputError } from '../../core/errors.js';
import { ParquetFile } from '../../platform/parquet-file.js';
import type { FileBytes } from '../files/file-bytes.js';
import { statSync } from 'node:fs';

/** What is handed on at a time: text of some hundred rows. */
const PIECE_BYTES = 256 << 10;

export interface ParquetText {
  readonly columns: readonly string[];
  /** A row's text, its line break included. */
  readonly write: (values: readonly unknown[]) => string;
}

/**
 * A Parquet file as text, a record for each row: what is true of a text file (known by its bytes, taken in chunk by chunk, resumed)
 * is then true of it. Rows are read from the start each time; the digest tells which were taken in.
 */
export async function openParquetText(
  path: string,
  temporaryDirectory: string,
  textOf: (file: ParquetFile) => ParquetText,
): Promise<FileBytes> {
  const file = await ParquetFile.open(path, temporaryDirectory);
  try {
    const text = textOf(file);
    const { size } = statSync(path);
    let rowsRead = 0;
    return {
      name: file.name,
      unit: 'row',
      sizeBytes: size,
      // Of rows one only knows how many there are: progress takes each for as long as any other.
      positionBytes: () => Math.floor((size * rowsRead) / Math.max(1, Number(file.rowCount))),
      pieces: piecesOf(file, text, (count) => {
        rowsRead += count;
      }),
      close: () => {
        file.close();
        return Promise.resolve();
      },
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

async function* piecesOf(
  file: ParquetFile,
  { columns, write }: ParquetText,
  onRows: (count: number) => void,
): AsyncGenerator<Uint8Array> {
  let gathered: string[] = [];
  let gatheredLength = 0;
  const take = (): Uint8Array => {
    const piece = Buffer.from(gathered.join(''));
    gathered = [];
    gatheredLength = 0;
    return piece;
  };
  try {
    for await (const batch of file.rows(columns)) {
      for (const row of batch) {
        const record = write(row);
        gathered.push(record);
        gatheredLength += record.length;
        if (gatheredLength >= PIECE_BYTES) yield take();
      }
      onRows(batch.length);
    }
  } catch (error) {
    // Rows before the break are whole.
    if (gatheredLength > 0) yield take();
    throw error;
  }
  if (gatheredLength > 0) yield take();
}

/** @throws InputError `invalid_file` that lists every column that is missing or of no use */
export function requireNone(problems: readonly string[], fileName: string, advice: string): void {
  if (problems.length === 0) return;
  throw new InputError('invalid_file', `file ${fileName}: ${problems.join('; ')}. ${advice}`, {
    details: { file: fileName, problems },
  });
}
