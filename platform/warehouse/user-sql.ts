import { InputError, UnavailableError } from '../../core/errors.js';
import type { SuppliedTable } from './supplied-table.js';
import type { RunLocation } from './warehouse.js';

export interface UserSqlLimits {
  readonly timeoutMs: number;
  readonly memoryMib: number;
  readonly maxRows: number;
  /** Each may take `memoryMib`, so this bounds their share of the machine too. */
  readonly concurrent: number;
}

export interface UserSqlResult {
  /** Types as the engine calls them. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Values as `RowSchema` has them. */
  readonly rows: readonly (readonly unknown[])[];
}

/** Makes the tables that a statement needs. */
export type TablesOf = () => Promise<readonly SuppliedTable[]>;
export const NO_TABLES: TablesOf = () => Promise.resolve([]);

/**
 * SQL that people send: one SELECT over a run's marts and the raw tables (`raw_executions` and so on), in a closed room. Nothing else of
 * the engine, the machine or the network is in reach, nothing can be changed, and rows, time and memory are bounded.
 */
export interface UserSql {
  /**
   * @param run whose marts there are; without one there are the raw tables
   * @param tables what is there besides; asked only once it is this statement's turn
   * @throws InputError `sql_not_read_only`, `invalid_sql`, `query_timeout`, `result_too_large`, `run_not_found`
   */
  query(run: RunLocation | null, statement: string, tables?: TablesOf): Promise<UserSqlResult>;
  /** The same, as the bytes of a Parquet file. */
  parquet(run: RunLocation | null, statement: string, tables?: TablesOf): Promise<Uint8Array>;
}

/** Lets so many in at once; whoever comes then is told to come back. */
export class BoundedUse {
  private running = 0;

  constructor(private readonly limit: number) {}

  async enter<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.running >= this.limit) throw busyError();
    this.running += 1;
    try {
      return await work();
    } finally {
      this.running -= 1;
    }
  }
}

export function notOneStatement(count: number): InputError {
  return new InputError('invalid_sql', `sql: send one statement; these are ${count}`);
}

export function tooManyRows(maxRows: number): InputError {
  return new InputError(
    'result_too_large',
    `sql: more than ${maxRows} rows; add a LIMIT, aggregate, or raise HEADGATE_SQL_MAX_ROWS`,
    { status: 422 },
  );
}

export function tooMuchMemory(cause: unknown): InputError {
  return new InputError(
    'result_too_large',
    'sql: the query needs more memory than it may use; filter earlier, or aggregate more',
    { status: 422, cause },
  );
}

export function tookTooLong(timeoutMs: number): InputError {
  return new InputError(
    'query_timeout',
    `sql: stopped after ${timeoutMs / 1000} s; filter earlier, or raise HEADGATE_SQL_TIMEOUT_SECONDS`,
    { status: 422 },
  );
}

function busyError(): UnavailableError {
  return new UnavailableError(
    'unavailable',
    'sql: as many queries as allowed are running; try again in a second',
    { details: { retryAfterSeconds: 1 } },
  );
}
