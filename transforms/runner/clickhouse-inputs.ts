import type { SmallRow } from '../../platform/warehouse/clickhouse-connection.js';
import type { BuildConnection } from './clickhouse-databases.js';
import type { InputColumnType, InputTable } from './run-inputs.js';

const TYPES: Readonly<Record<InputColumnType, string>> = {
  text: 'Nullable(String)',
  bigint: 'Nullable(Int64)',
  integer: 'Nullable(Int32)',
  boolean: 'Nullable(Bool)',
  date: 'Nullable(Date)',
  timestamp: "Nullable(DateTime64(6, 'UTC'))",
};

const BATCH = 10_000;

/** Writes each input table as a table of `database`, which must be there. */
export async function writeClickHouseInputs(
  connection: BuildConnection,
  database: string,
  tables: Readonly<Record<string, InputTable>>,
): Promise<void> {
  for (const [name, { columns, rows }] of Object.entries(tables)) {
    const definitions = Object.entries(columns).map(([column, type]) => `\`${column}\` ${TYPES[type]}`);
    await connection.command(
      `CREATE TABLE ${database}.${name} (${definitions.join(', ')}) ENGINE = MergeTree ORDER BY tuple()`,
    );
    for (let start = 0; start < rows.length; start += BATCH) {
      await connection.insertObjects(`${database}.${name}`, rows.slice(start, start + BATCH).map(jsonRow));
    }
  }
}

function jsonRow(row: InputTable['rows'][number]): SmallRow {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column,
      typeof value === 'bigint' ? value.toString() : value,
    ]),
  );
}
