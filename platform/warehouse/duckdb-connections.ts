import type { DuckDBConnection, DuckDBInstance, DuckDBMaterializedResult } from '@duckdb/node-api';
import { InvariantError, UnavailableError } from '../../core/errors.js';
import { warehouseError } from './duckdb-errors.js';
import { requireWhole } from './duckdb-stream.js';
import { bindings, plainRow } from './duckdb-values.js';
import type { QueryParameters, RowSchema } from './warehouse.js';

/** DuckDB runs a connection's statements one after the other, so concurrent readers need several. */
export class ConnectionPool {
  private readonly idle: DuckDBConnection[] = [];
  private readonly waiting: ((connection: DuckDBConnection | null) => void)[] = [];
  private openCount = 0;
  private isClosed = false;

  constructor(
    private readonly instance: DuckDBInstance,
    private readonly limit: number,
  ) {}

  async use<Result>(work: (connection: DuckDBConnection) => Promise<Result>): Promise<Result> {
    const connection = await this.take();
    try {
      return await work(connection);
    } finally {
      this.giveBack(connection);
    }
  }

  async take(): Promise<DuckDBConnection> {
    if (this.isClosed) throw closedError();
    const idle = this.idle.pop();
    if (idle) return idle;
    if (this.openCount < this.limit) {
      this.openCount += 1;
      return this.instance.connect();
    }
    const handed = await new Promise<DuckDBConnection | null>((resolve) => this.waiting.push(resolve));
    if (!handed) throw closedError();
    return handed;
  }

  giveBack(connection: DuckDBConnection): void {
    const next = this.waiting.shift();
    if (next) next(connection);
    else if (this.isClosed) connection.closeSync();
    else this.idle.push(connection);
  }

  /** Idle connections close now, those in use when they are given back. */
  close(): void {
    this.isClosed = true;
    for (const connection of this.idle.splice(0)) connection.closeSync();
    for (const resolve of this.waiting.splice(0)) resolve(null);
  }
}

export async function runOn(
  connection: DuckDBConnection,
  sql: string,
  parameters: QueryParameters,
): Promise<void> {
  try {
    await runAtOnce(connection, sql, parameters);
  } catch (error) {
    throw warehouseError(error, 'warehouse statement');
  }
}

export async function queryOn<Row>(
  connection: DuckDBConnection,
  sql: string,
  parameters: QueryParameters,
  rowSchema: RowSchema<Row>,
): Promise<Row[]> {
  try {
    const result = await runAtOnce(connection, sql, parameters);
    return parseRows(await result.getRowObjects(), sql, rowSchema);
  } catch (error) {
    throw warehouseError(error, 'warehouse query');
  }
}

export async function* streamOn<Row>(
  connection: DuckDBConnection,
  sql: string,
  parameters: QueryParameters,
  rowSchema: RowSchema<Row>,
): AsyncIterable<Row[]> {
  try {
    // Planned and read in one transaction, for the reason that `runAtOnce` has.
    await connection.run('BEGIN TRANSACTION READ ONLY');
    try {
      const result = await connection.stream(sql, ...bindings(parameters));
      for await (const rows of result.yieldRowObjects()) yield parseRows(rows, sql, rowSchema);
      requireWhole(result);
    } finally {
      // An engine that can't even do this has failed above, and that is the error to tell.
      await connection.run('ROLLBACK').catch(() => undefined);
    }
  } catch (error) {
    throw warehouseError(error, 'warehouse query');
  }
}

/**
 * The engine plans by what it knows of a table's values (how long the longest text is, what the largest number), and trusts that when it
 * sorts and groups. A statement without parameters that is prepared first keeps its plan, and a row that another connection commits
 * before it is run comes out as one that nobody wrote. With parameters it is planned again when it is run.
 */
function runAtOnce(
  connection: DuckDBConnection,
  sql: string,
  parameters: QueryParameters,
): Promise<DuckDBMaterializedResult> {
  return Object.keys(parameters).length === 0
    ? connection.run(sql)
    : connection.run(sql, ...bindings(parameters));
}

function parseRows<Row>(
  rows: readonly Parameters<typeof plainRow>[0][],
  sql: string,
  rowSchema: RowSchema<Row>,
): Row[] {
  return rows.map((row) => {
    const parsed = rowSchema.safeParse(plainRow(row));
    if (parsed.success) return parsed.data;
    const where = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
    throw new InvariantError(`a row does not fit its schema (${where}) in: ${sql.slice(0, 200)}`);
  });
}

export function closedError(): UnavailableError {
  return new UnavailableError('shutting_down', 'the warehouse is closed; start headgate again');
}

export function reopenedError(): UnavailableError {
  return new UnavailableError('warehouse_unavailable', 'the warehouse was opened anew; start over');
}

export function brokenError(): UnavailableError {
  return new UnavailableError(
    'warehouse_unavailable',
    'the warehouse stopped at an error (a full disk?) and is opened again with the next write; free some space',
    { details: { retryAfterSeconds: 30 } },
  );
}
