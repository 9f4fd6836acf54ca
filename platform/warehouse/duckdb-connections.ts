import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
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
    await connection.run(sql, ...bindings(parameters));
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
    const result = await connection.run(sql, ...bindings(parameters));
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
    const result = await connection.stream(sql, ...bindings(parameters));
    for await (const rows of result.yieldRowObjects()) yield parseRows(rows, sql, rowSchema);
    requireWhole(result);
  } catch (error) {
    throw warehouseError(error, 'warehouse query');
  }
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
