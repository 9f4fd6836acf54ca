/** Of a column; every one may be null. `decimal` has 12 digits of fraction, as all marts have them; instants are in UTC. */
export type SuppliedType = 'text' | 'integer' | 'bigint' | 'decimal' | 'date' | 'instant' | 'boolean';

/** Numbers as digits, dates as 2026-01-31, instants as RFC 3339. */
export type SuppliedValue = string | boolean | null;

/** A table that is no mart: it is there for one statement, by its name. */
export interface SuppliedTable {
  readonly name: string;
  readonly columns: Readonly<Record<string, SuppliedType>>;
  /** In the order of `columns`. */
  readonly rows: readonly (readonly SuppliedValue[])[];
}

export const DUCKDB_TYPES: Readonly<Record<SuppliedType, string>> = {
  text: 'VARCHAR',
  integer: 'INTEGER',
  bigint: 'BIGINT',
  decimal: 'DECIMAL(38, 12)',
  date: 'DATE',
  instant: 'TIMESTAMP',
  boolean: 'BOOLEAN',
};

export const CLICKHOUSE_TYPES: Readonly<Record<SuppliedType, string>> = {
  text: 'Nullable(String)',
  integer: 'Nullable(Int32)',
  bigint: 'Nullable(Int64)',
  decimal: 'Nullable(Decimal(38, 12))',
  date: 'Nullable(Date32)',
  instant: "Nullable(DateTime64(6, 'UTC'))",
  boolean: 'Nullable(Bool)',
};

/** `"name" type, …`, as a table is made of them. */
export function columnList(
  { columns }: Pick<SuppliedTable, 'columns'>,
  types: Readonly<Record<SuppliedType, string>>,
): string {
  return Object.entries(columns)
    .map(([name, type]) => `"${name}" ${types[type]}`)
    .join(', ');
}
