import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BulkWarehouse } from '../../platform/warehouse/bulk-warehouse.js';

/** The types that an input table's columns may have, as both engines spell them in the end. */
export type InputColumnType = 'text' | 'bigint' | 'integer' | 'boolean' | 'date' | 'timestamp';

/** A small table that a run reads beside the events: the catalog's, and decisions on conflicts. */
export interface InputTable {
  readonly columns: Readonly<Record<string, InputColumnType>>;
  readonly rows: readonly Readonly<Record<string, string | number | bigint | boolean | null>>[];
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const json = (row: object): string =>
  JSON.stringify(row, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));

/**
 * Writes each table as one Parquet file named after it; a table without rows keeps its columns, so that models can join it.
 */
export async function writeRunInputs(
  warehouse: BulkWarehouse,
  directory: string,
  tables: Readonly<Record<string, InputTable>>,
): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  await warehouse.bulk(async (session) => {
    for (const [name, table] of Object.entries(tables)) {
      const columns = Object.entries(table.columns).map(([column, type]) => `${quoted(column)} ${type}`);
      await session.run(`create or replace temp table run_input (${columns.join(', ')})`);
      if (table.rows.length > 0) {
        const scratch = join(directory, `${name}.ndjson`);
        await writeFile(scratch, table.rows.map(json).join('\n'));
        const types = Object.entries(table.columns).map(
          ([column, type]) => `${literal(column)}: ${literal(type)}`,
        );
        await session.run(
          `insert into run_input by name
           select * from read_json(${literal(scratch)}, format = 'newline_delimited', columns = {${types.join(', ')}})`,
        );
        await rm(scratch);
      }
      await session.run(`copy run_input to ${literal(join(directory, `${name}.parquet`))} (format parquet)`);
    }
    await session.run('drop table if exists run_input');
  });
}
