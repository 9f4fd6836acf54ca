import { randomUUID } from 'node:crypto';
import type { ClickHouseSettings } from '@clickhouse/client';
import { z } from 'zod';
import { InputError } from '../../core/errors.js';
import { STREAMS } from '../../core/raw-event.js';
import type { ClickHouseConfig } from '../config.js';
import { ClickHouseConnection, SAME_MEANING } from './clickhouse-connection.js';
import { clickHouseUserError, isTimeout, isTooManyRows } from './clickhouse-errors.js';
import type { ClickHouseRuns } from './clickhouse-runs.js';
import { requireSelectOnly, type Room } from './clickhouse-select-only.js';
import { statementsOf } from './clickhouse-statement.js';
import { rawRowsRelation } from './clickhouse-target.js';
import { rawTable } from './raw-tables.js';
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

/** The server stops a statement between blocks of rows; one that is longer within a block is left behind. */
const GRACE_MS = 2_000;
const MIB = 1024 * 1024;
const Database = z.object({ name: z.string() });
const HIDDEN_DATABASE = '_temporary_and_external_tables';

/**
 * A run's database is the room: its marts, and views of the raw tables. The statement is looked through before it runs (see
 * clickhouse-select-only.ts), and the server runs it as one that may only read and whose limits it can't change.
 */
export class ClickHouseUserSql implements UserSql {
  private readonly use: BoundedUse;
  private readonly furnished = new Set<string>();

  constructor(
    private readonly warehouse: ClickHouseConnection,
    private readonly runs: ClickHouseRuns,
    private readonly config: ClickHouseConfig,
    private readonly limits: UserSqlLimits,
  ) {
    this.use = new BoundedUse(limits.concurrent);
  }

  query(run: RunLocation | null, statement: string, tables: TablesOf = NO_TABLES): Promise<UserSqlResult> {
    return this.inARoom({ run, tables }, statement, async (connection, checked, signal) => {
      const { columns, batches } = await connection.read({ sql: checked, values: {} }, this.bounds(), signal);
      const rows: unknown[][] = [];
      for await (const batch of batches) {
        rows.push(...batch);
        if (rows.length > this.limits.maxRows) throw tooManyRows(this.limits.maxRows);
      }
      return { columns, rows };
    });
  }

  parquet(run: RunLocation | null, statement: string, tables: TablesOf = NO_TABLES): Promise<Uint8Array> {
    return this.inARoom({ run, tables }, statement, (connection, checked, signal) =>
      connection.bytes(
        checked,
        'Parquet',
        { ...this.bounds(), output_format_parquet_string_as_string: 1 },
        signal,
      ),
    );
  }

  private inARoom<Result>(
    { run, tables }: { readonly run: RunLocation | null; readonly tables: TablesOf },
    statement: string,
    work: (connection: ClickHouseConnection, checked: string, signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    return this.use.enter(async () => {
      const checked = oneStatement(statement);
      const database = await this.roomOf(run);
      const { target } = this.warehouse;
      // Supplied tables are the session's, which no other statement shares.
      const connection = new ClickHouseConnection(target, this.config, database, randomUUID());
      const signal = AbortSignal.timeout(this.limits.timeoutMs + GRACE_MS);
      try {
        await this.requireSelect(connection, checked, database);
        const supplied = await tables();
        const working = () => connection.withTables(supplied, () => work(connection, checked, signal));
        return await (run === null ? working() : this.runs.whileThere(run, working));
      } catch (error) {
        if (isTimeout(error) || signal.aborted) throw tookTooLong(this.limits.timeoutMs);
        if (isTooManyRows(error)) throw tooManyRows(this.limits.maxRows);
        throw clickHouseUserError(error, target.origin);
      } finally {
        await connection.close();
      }
    });
  }

  private async requireSelect(
    connection: ClickHouseConnection,
    statement: string,
    database: string,
  ): Promise<void> {
    const found = await this.warehouse.query('SELECT name FROM system.databases', {}, Database);
    const room: Room = {
      database,
      databases: new Set([...found.map(({ name }) => name), HIDDEN_DATABASE]),
    };
    requireSelectOnly(await connection.explained(`AST ${statement}`, this.bounds()), room);
  }

  /** The database of a run, or of the raw tables alone, with the views in it that it needs. */
  private async roomOf(run: RunLocation | null): Promise<string> {
    const main = this.warehouse.target.database;
    const database = run === null ? `${main}_sql` : run.location;
    if (run === null) await this.warehouse.command(`CREATE DATABASE IF NOT EXISTS ${database}`);
    else await this.runs.open(run);
    if (this.furnished.has(database)) return database;
    const furnish = async (): Promise<void> => {
      for (const stream of STREAMS) {
        await this.warehouse.command(
          `CREATE VIEW IF NOT EXISTS ${database}.${rawTable(stream)} AS SELECT * FROM ${rawRowsRelation(main, stream)}`,
        );
      }
    };
    await (run === null ? furnish() : this.runs.whileThere(run, furnish));
    this.furnished.add(database);
    return database;
  }

  private bounds(): ClickHouseSettings {
    return {
      ...SAME_MEANING,
      readonly: '1',
      max_execution_time: this.limits.timeoutMs / 1000,
      timeout_overflow_mode: 'throw',
      max_memory_usage: String(this.limits.memoryMib * MIB),
      // A sort that does not fit ends with an error instead of filling the disk.
      max_bytes_before_external_sort: '0',
      max_bytes_before_external_group_by: '0',
      max_result_rows: String(this.limits.maxRows),
      result_overflow_mode: 'throw',
    };
  }
}

/** @throws InputError `invalid_sql` */
function oneStatement(text: string): string {
  if (text.includes('\0')) throw new InputError('invalid_sql', 'sql: there is a NUL character in it');
  const statements = statementsOf(text);
  const [statement] = statements;
  if (statement === undefined || statements.length !== 1) throw notOneStatement(statements.length);
  return statement;
}
