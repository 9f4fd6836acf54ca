import { plainNumber } from '../../core/json.js';
import { didYouMean } from '../../core/suggest.js';
import type { ParquetColumn, ParquetFile } from '../../platform/parquet-file.js';
import { mappedCells, mappedColumns } from '../csv/mapped-columns.js';
import type { Mapping } from '../csv/mapping.js';
import { requireNone, type ParquetText } from './parquet-text.js';

/** How the records are written, whatever the mapping says of a CSV that it was also made for. */
export function parquetDialect(mapping: Mapping): Mapping {
  return { ...mapping, delimiter: ',', quote: '"', encoding: 'utf-8' };
}

/**
 * The columns that a mapping looks at, as records of CSV: cells are the text that each value has, NULL is an empty cell. A timestamp
 * without a zone is one of the mapping's zone.
 *
 * @throws InputError `invalid_file` when a column is missing, or holds what is no cell
 */
export function mappedCellRecords({ name, columns }: ParquetFile, mapping: Mapping): ParquetText {
  requireNone(columnProblems(columns, mapping), name, `It has: ${columns.map((one) => one.name).join(', ')}`);
  const names = mappedColumns(mapping);
  const kinds = names.map((column) => columns.find((one) => one.name === column)?.kind);
  return {
    columns: names,
    write: (values) => `${values.map((value, index) => quoted(cellText(value, kinds[index]))).join(',')}\n`,
  };
}

function cellText(value: unknown, kind: ParquetColumn['kind'] | undefined): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return plainNumber(value);
  // What is neither text nor number is yes or no: nothing nested is mapped.
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return kind === 'timestamp' ? text.replace(/Z$/, '') : text;
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

function columnProblems(columns: readonly ParquetColumn[], mapping: Mapping): string[] {
  const names = columns.map(({ name }) => name);
  const own =
    mapping.columns === undefined
      ? []
      : ['a Parquet file names its columns: take `columns` out of the mapping'];
  const byName = mappedColumns(mapping).flatMap((column) => {
    const found = columns.find(({ name }) => name === column);
    if (!found) return [`no column "${column}"${didYouMean(column, names)}`];
    const isCell = found.kind !== 'nested' && found.kind !== 'other';
    return isCell
      ? []
      : [`column "${column}" is ${found.type}, which is no cell: export its parts as columns`];
  });
  return [...own, ...byName, ...typeProblems(columns, mapping)];
}

/** What a mapping says of text would misread a value that has a type: 12.50 is not twelve hundred and fifty. */
function typeProblems(columns: readonly ParquetColumn[], mapping: Mapping): string[] {
  return mappedCells(mapping).flatMap(({ column, cell }) => {
    const found = columns.find(({ name }) => name === column);
    if (!found) return [];
    const isNumber = found.kind === 'integer' || found.kind === 'decimal' || found.kind === 'float';
    const isTime = found.kind === 'date' || found.kind === 'timestamp' || found.kind === 'instant';
    if (isNumber && cell.decimalMark === ',') {
      return [`column "${column}" is ${found.type}: take decimalMark out of its cell in the mapping`];
    }
    return isTime && cell.format !== undefined && cell.format !== 'iso'
      ? [`column "${column}" is ${found.type}: take format out of its cell in the mapping`]
      : [];
  });
}
