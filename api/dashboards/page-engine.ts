import { DuckDBInstance, type DuckDBConnection, type DuckDBType } from '@duckdb/node-api';
import { z } from 'zod';
import { messageOf } from '../../platform/warehouse/duckdb-errors.js';
import { sqlName, sqlText } from '../../platform/warehouse/duckdb-values.js';
import { PAGE_MACROS } from './page-macros.js';
import type { TablesByName } from './table-files.js';

/** Name and type, as DuckDB calls it. */
export type Column = readonly [name: string, type: string];

/** What a page's query answers, as its code takes it: dates in ISO 8601, whole numbers as numbers. */
export interface PageResult {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly unknown[])[];
}

/** Pages name their tables so. */
const SCHEMA = 'headgate';
const MEMORY_MIB = 256;
const NAMES_WHAT_IS_MISSING = /^(Binder|Catalog) Error/;
const Counted = z.tuple([z.bigint()]);

/**
 * The engine that pages have in the browser, here: what a page asks when it is opened is answered before it is asked, by the same engine
 * over the same files, so that its first numbers wait for no engine to start.
 */
export class PageEngine {
  async shapeOf(path: string): Promise<{ rows: number; columns: readonly Column[] }> {
    return this.with(async (connection) => {
      const file = `read_parquet(${sqlText(path)}, hive_partitioning = false)`;
      const shape = await connection.run(`select * from ${file} limit 0`);
      const counted = await connection.runAndReadAll(`select count(*) from ${file}`);
      const [rows] = Counted.parse(counted.getRows()[0]);
      return { rows: Number(rows), columns: columnsOf(shape) };
    });
  }

  /**
   * Answers of the queries that read these tables alone, by their text. A query that reads others is left to the page; so is one that
   * names what is not there, as in a run of another version: the page says it where it would show the answer, and `onMissing` hears of it.
   *
   * @throws Error of anything else that the engine refuses
   */
  async answers(
    queries: readonly string[],
    tables: TablesByName,
    onMissing: (what: string) => void,
  ): Promise<Readonly<Record<string, PageResult>>> {
    return this.with(async (connection) => {
      await connection.run(`create schema ${SCHEMA}`);
      for (const macro of PAGE_MACROS) await connection.run(macro);
      for (const { name, path } of tables.values()) {
        await connection.run(
          `create view ${SCHEMA}.${sqlName(name)} as from read_parquet(${sqlText(path)}, hive_partitioning = false)`,
        );
      }
      const answers: Record<string, PageResult> = {};
      for (const query of queries.filter((sql) => tablesIn(sql).every((name) => tables.has(name)))) {
        try {
          const result = await connection.runAndReadAll(query);
          answers[query] = {
            columns: columnsOf(result),
            rows: result.getRowsJS().map((row) => row.map(plain)),
          };
        } catch (error) {
          const [what = ''] = messageOf(error).split('\n', 1);
          if (!NAMES_WHAT_IS_MISSING.test(what)) throw error;
          onMissing(what);
        }
      }
      return answers;
    });
  }

  private async with<Result>(work: (connection: DuckDBConnection) => Promise<Result>): Promise<Result> {
    const instance = await DuckDBInstance.create(':memory:', {
      threads: '1',
      memory_limit: `${MEMORY_MIB}MiB`,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    });
    const connection = await instance.connect();
    try {
      return await work(connection);
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  }
}

interface Columns {
  columnNames(): string[];
  columnTypes(): DuckDBType[];
}

function columnsOf(result: Columns): Column[] {
  const types = result.columnTypes();
  return result.columnNames().map((name, index) => [name, String(types[index])]);
}

/** As the engine in the browser is told to give them: an integer of a page is below 2^53. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  return value instanceof Date ? value.toISOString() : value;
}

const NAMED_TABLE = /\bheadgate\s*\.\s*"?([a-z_][a-z0-9_]*)"?/gi;

/** Tables that a query of a page reads, by their names. */
export function tablesIn(sql: string): string[] {
  return [...new Set([...sql.matchAll(NAMED_TABLE)].map(([, name = '']) => name.toLowerCase()))];
}
