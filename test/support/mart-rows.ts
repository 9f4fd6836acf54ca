import { z } from 'zod';

/** A value of an exported row: numbers are digits, so that none is bent. */
const Cell = z.union([z.string(), z.boolean(), z.null()]);
export type ExportedRow = Readonly<Record<string, z.output<typeof Cell>>>;
const Row = z.record(z.string(), Cell);

/** Rows of an exported mart (see marts-export.ts). */
export function exportedRows(marts: ReadonlyMap<string, string>, mart: string): ExportedRow[] {
  const text = marts.get(mart);
  if (text === undefined) throw new Error(`there is no mart ${mart}`);
  return text === '' ? [] : text.split('\n').map((line) => Row.parse(JSON.parse(line)));
}

/** Rows as short texts, sorted, to be compared as a whole: `2026-01-01 USD 24880`. */
export function linesOf(
  rows: readonly Readonly<Record<string, unknown>>[],
  columns: readonly string[],
): string[] {
  return rows.map((row) => columns.map((column) => String(row[column])).join(' ')).sort();
}
