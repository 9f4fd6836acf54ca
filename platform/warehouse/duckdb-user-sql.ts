import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { DuckDBInstance, StatementType, type DuckDBConnection, type DuckDBResult } from '@duckdb/node-api';
import { InputError } from '../../core/errors.js';
import { STREAMS } from '../../core/raw-event.js';
import type { LakeFiles } from '../lake-files.js';
import { messageOf, userSqlError } from './duckdb-errors.js';
import { directoryOfRun, rawRelation } from './duckdb-runs.js';
import { requireWhole } from './duckdb-stream.js';
import { plainValue, sqlText } from './duckdb-values.js';
import { rawTable } from './raw-tables.js';
import { columnList, DUCKDB_TYPES, type SuppliedTable } from './supplied-table.js';
import {
  BoundedUse,
  NO_TABLES,
  notOneStatement,
  tookTooLong,
  tooManyRows,
  type TablesOf,
  type UserSql,
  type UserSqlLimits,
  type UserSqlResult,
} from './user-sql.js';
import type { RunLocation } from './warehouse.js';

export interface DuckdbUserSqlOptions extends UserSqlLimits {
  readonly temporaryDirectory: string;
}

/** What stands in a room besides the raw tables. */
interface Furniture {
  readonly run: RunLocation | null;
  readonly tables: TablesOf;
}

/**
 * The raw tables are those of the lake, as the last run found them. Each query gets an engine of its own: the run's file opened read-only, no file but the lake's in reach, settings
 * locked, memory and time bounded, and nothing of it left for the next query to find. Opening one takes 7 ms. The
 * live warehouse could not be closed off like this, for ingest reads files through it.
 */
export class DuckdbUserSql implements UserSql {
  private readonly use: BoundedUse;

  constructor(
    private readonly lake: LakeFiles,
    private readonly options: DuckdbUserSqlOptions,
  ) {
    this.use = new BoundedUse(options.concurrent);
  }

  query(run: RunLocation | null, statement: string, tables: TablesOf = NO_TABLES): Promise<UserSqlResult> {
    return this.with({ run, tables }, async (connection) => {
      await requireSelect(connection, statement);
      const result = await connection.stream(statement);
      const columns = result
        .columnNames()
        .map((name, index) => ({ name, type: String(result.columnType(index)) }));
      const rows: unknown[][] = [];
      for await (const batch of result.yieldRows()) {
        for (const row of batch) rows.push(row.map(plainValue));
        if (rows.length > this.options.maxRows) throw tooManyRows(this.options.maxRows);
      }
      await requireWholeAnswer(connection, statement, result);
      return { columns, rows };
    });
  }

  parquet(run: RunLocation | null, statement: string, tables: TablesOf = NO_TABLES): Promise<Uint8Array> {
    const file = join(this.options.temporaryDirectory, `sql-${randomBytes(6).toString('hex')}.parquet`);
    return this.with(
      { run, tables },
      async (connection) => {
        await requireSelect(connection, statement);
        const select = `SELECT * FROM query(${sqlText(statement.replace(/;\s*$/, ''))})`;
        try {
          const copied = await connection.run(
            `COPY (${select} LIMIT ${this.options.maxRows + 1}) TO ${sqlText(file)} (FORMAT parquet)`,
          );
          if (copied.rowsChanged > this.options.maxRows) throw tooManyRows(this.options.maxRows);
          return new Uint8Array(readFileSync(file));
        } finally {
          rmSync(file, { force: true });
        }
      },
      file,
    );
  }

  private with<Result>(
    furniture: Furniture,
    work: (connection: DuckDBConnection) => Promise<Result>,
    writableFile?: string,
  ): Promise<Result> {
    return this.use.enter(() => this.inARoom(furniture, work, writableFile));
  }

  private async inARoom<Result>(
    { run, tables }: Furniture,
    work: (connection: DuckDBConnection) => Promise<Result>,
    writableFile: string | undefined,
  ): Promise<Result> {
    const supplied = await tables();
    const lease = this.lake.lease();
    let instance: DuckDBInstance | null = null;
    try {
      instance = await this.openInstance(run);
      const connection = await instance.connect();
      try {
        for (const stream of STREAMS) {
          await connection.run(
            `CREATE TEMP VIEW ${rawTable(stream)} AS SELECT * FROM ${rawRelation(lease, stream)}`,
          );
        }
        for (const table of supplied) await supply(connection, table);
        for (const statement of this.restrictions(writableFile)) await connection.run(statement);
        return await this.bounded(connection, work);
      } finally {
        connection.closeSync();
      }
    } catch (error) {
      throw userSqlError(error);
    } finally {
      instance?.closeSync();
      lease.release();
    }
  }

  private openInstance(run: RunLocation | null): Promise<DuckDBInstance> {
    const settings = { threads: '2', memory_limit: `${this.options.memoryMib}MiB` };
    if (!run) return DuckDBInstance.create(':memory:', settings);
    const directory = directoryOfRun(this.lake, run);
    const file = join(directory, 'marts.duckdb');
    if (!existsSync(file)) {
      throw new InputError('run_not_found', `run ${run.runId}: its marts are not in ${directory}`, {
        status: 404,
      });
    }
    return DuckDBInstance.create(file, { ...settings, access_mode: 'READ_ONLY' });
  }

  /** In this order: each closes a door that the next one still needs open, and the last one locks them all. */
  private restrictions(writableFile: string | undefined): string[] {
    return [
      `SET TimeZone = 'UTC'`,
      // A sort that does not fit ends with an error instead of filling the disk.
      `SET temp_directory = ''`,
      `SET autoinstall_known_extensions = false`,
      `SET autoload_known_extensions = false`,
      `SET allowed_directories = [${sqlText(this.lake.directory)}]`,
      ...(writableFile === undefined ? [] : [`SET allowed_paths = [${sqlText(writableFile)}]`]),
      `SET enable_external_access = false`,
      `SET lock_configuration = true`,
    ];
  }

  private async bounded<Result>(
    connection: DuckDBConnection,
    work: (connection: DuckDBConnection) => Promise<Result>,
  ): Promise<Result> {
    const deadline = { isPassed: false };
    const timer = setTimeout(() => {
      deadline.isPassed = true;
      connection.interrupt();
    }, this.options.timeoutMs);
    try {
      return await work(connection);
    } catch (error) {
      if (deadline.isPassed && /interrupt/i.test(messageOf(error))) throw tookTooLong(this.options.timeoutMs);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Rows go in as one JSON text: they are few, and nothing is written outside. */
async function supply(connection: DuckDBConnection, { name, columns, rows }: SuppliedTable): Promise<void> {
  const names = Object.keys(columns);
  await connection.run(`CREATE TEMP TABLE ${name} (${columnList({ columns }, DUCKDB_TYPES)})`);
  if (rows.length === 0) return;
  const values = names.map((column, place) => `r[${place + 1}]::${DUCKDB_TYPES[columns[column] ?? 'text']}`);
  await connection.run(
    `INSERT INTO ${name} SELECT ${values.join(', ')}
     FROM (SELECT unnest(from_json($rows::JSON, '[["VARCHAR"]]')) AS r)`,
    { rows: JSON.stringify(rows) },
  );
}

/** What the engine itself says the statement is: no list of forbidden words that a comment could slip past. */
async function requireSelect(connection: DuckDBConnection, statement: string): Promise<void> {
  const extracted = await connection.extractStatements(statement);
  if (extracted.count !== 1) {
    throw notOneStatement(extracted.count);
  }
  const prepared = await extracted.prepare(0);
  try {
    if (prepared.statementType !== StatementType.SELECT) {
      throw new InputError(
        'sql_not_read_only',
        'sql: only SELECT (and DESCRIBE, SHOW, SUMMARIZE) can be run here',
      );
    }
    if (prepared.parameterCount > 0) {
      throw new InputError('invalid_sql', 'sql: parameters cannot be given here; write the values');
    }
  } finally {
    prepared.destroySync();
  }
}

/** An error in the middle of a stream has lost its words; the statement says them again when it is run at once. */
async function requireWholeAnswer(
  connection: DuckDBConnection,
  statement: string,
  result: DuckDBResult,
): Promise<void> {
  try {
    requireWhole(result);
  } catch (error) {
    await connection.run(statement);
    throw error;
  }
}
