import {
  BIGINT,
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  HUGEINT,
  type DuckDBType,
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

const MAX_BIGINT = (1n << 63n) - 1n;

/**
 * Values and types for `run` and `stream`. Left to itself the client binds a whole number as a double (and 2^53 + 1
 * reaches the engine as another number) and a bigint as HUGEINT (which no timestamp function takes).
 */
export function bindings(
  parameters: QueryParameters,
): [values: Record<string, DuckDBValue>, types: Record<string, DuckDBType>] {
  const values: Record<string, DuckDBValue> = {};
  const types: Record<string, DuckDBType> = {};
  for (const [name, given] of Object.entries(parameters)) {
    const value = typeof given === 'number' && Number.isSafeInteger(given) ? BigInt(given) : given;
    values[name] = value;
    if (typeof value === 'bigint')
      types[name] = value <= MAX_BIGINT && value >= -MAX_BIGINT ? BIGINT : HUGEINT;
  }
  return [values, types];
}

/** A text literal of SQL, for the places where DuckDB takes no parameter (ATTACH, COPY, read_parquet lists). */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
