import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import { formatInstant } from '../../core/time.js';
import type { QueryParameters } from './warehouse.js';

/** A DuckDB value as `RowSchema` promises it. The client's own conversion makes decimals floats. */
export function plainValue(value: DuckDBValue): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof DuckDBDecimalValue) return value.toString();
  if (value instanceof DuckDBTimestampValue) return formatInstant(value.micros);
  if (value instanceof DuckDBTimestampTZValue) return formatInstant(value.micros);
  if (value instanceof DuckDBDateValue) return value.toString();
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue)
    return value.items.map(plainValue);
  if (value instanceof DuckDBStructValue) return plainRow(value.entries);
  if (value instanceof DuckDBMapValue) {
    return value.entries.map((entry) => [plainValue(entry.key), plainValue(entry.value)]);
  }
  if (value instanceof DuckDBBlobValue) return value.bytes;
  return value.toString();
}

export function plainRow(row: Readonly<Record<string, DuckDBValue>>): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const name in row) plain[name] = plainValue(row[name] ?? null);
  return plain;
}

/** A whole number would bind as a double, and 2^53 + 1 would reach the engine as another number. */
export function boundValues(parameters: QueryParameters): Record<string, DuckDBValue> {
  const bound: Record<string, DuckDBValue> = {};
  for (const [name, value] of Object.entries(parameters)) {
    bound[name] = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
  }
  return bound;
}

/** A text literal of SQL, for the places where DuckDB takes no parameter (ATTACH, COPY, read_parquet lists). */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
