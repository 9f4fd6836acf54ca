import { createReadStream, readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import {
  ClickHouseLogLevel,
  createClient,
  type ClickHouseClient,
  type ClickHouseSettings,
} from '@clickhouse/client';
import { z } from 'zod';
import { InputError } from '../../core/errors.js';
import type { ClickHouseConfig } from '../config.js';
import { clickHouseError, isConnectionLost } from './clickhouse-errors.js';
import { decodedResult, parsedRow, type DecodedResult } from './clickhouse-results.js';
import { boundStatement, type BoundStatement } from './clickhouse-statement.js';
import type { ClickHouseTarget } from './clickhouse-target.js';
import { EXACT_JSON } from './clickhouse-values.js';
import { closedError } from './duckdb-connections.js';
import { CLICKHOUSE_TYPES, columnList, type SuppliedTable } from './supplied-table.js';
import type { QueryParameters, RowSchema } from './warehouse.js';

/** Without these the same SQL means something else than on DuckDB, or than in a run (transforms/profiles.yml). */
export const SAME_MEANING = {
  join_use_nulls: 1,
  aggregate_functions_null_for_empty: 1,
  cast_keep_nullable: 1,
  prefer_column_name_to_alias: 1,
  session_timezone: 'UTC',
  // Ours are written by templates; the default is for people.
  max_query_size: '67108864',
} as const;

const READ_SETTINGS: ClickHouseSettings = { cancel_http_readonly_queries_on_client_close: 1 };

const INSERT_SETTINGS: ClickHouseSettings = {
  // An answer means that the rows are there.
  async_insert: 0,
  wait_end_of_query: 1,
  // Events of many months in one batch are no mistake.
  max_partitions_per_insert_block: '0',
};

const ExplainedLine = z.tuple([z.string()]);

/** Sockets to one server. Readers beyond it wait for one. */
const SOCKETS = 32;
/** The server stops a statement itself and says so; only when it does not, the client hangs up. */
const GRACE_MS = 5_000;

/** By column. Whole numbers that a double would bend are digits. */
export type SmallRow = Readonly<Record<string, string | number | boolean | null>>;

/** One server over HTTP, as one user, in one database. Errors come as Headgate's own. */
export class ClickHouseConnection {
  private readonly client: ClickHouseClient;
  private readonly underWay = new Set<Promise<unknown>>();
  private isClosed = false;

  constructor(
    readonly target: ClickHouseTarget,
    private readonly config: ClickHouseConfig,
    database: string = target.database,
    /** What is made for a session is gone with it. Its statements come one after the other. */
    session?: string,
  ) {
    // On this machine compressing costs more than the bytes do.
    const isCompressed = !/^https?:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|$)/.test(target.origin);
    this.client = createClient({
      url: target.origin,
      username: target.username,
      password: target.password,
      database,
      application: 'headgate',
      ...(session === undefined ? {} : { session_id: session }),
      request_timeout: config.timeoutMs + GRACE_MS,
      max_open_connections: SOCKETS,
      compression: { request: isCompressed, response: isCompressed },
      keep_alive: { enabled: true, eagerly_destroy_stale_sockets: true },
      // Parameters that no URL would hold go into the body.
      use_multipart_params_auto: true,
      // Whatever it would say comes to us as an error.
      log: { level: ClickHouseLogLevel.OFF },
      ...(config.caFile === null ? {} : { tls: { ca_cert: certificateAuthority(config.caFile) } }),
    });
  }

  /** Whole results, or an error: the server holds rows back until it has all of them. */
  query<Row>(sql: string, parameters: QueryParameters, rowSchema: RowSchema<Row>): Promise<Row[]> {
    return this.call('warehouse query', () =>
      twiceIfLost(async () => {
        const all: Row[] = [];
        const settings = { ...SAME_MEANING, wait_end_of_query: 1 } as const;
        for await (const rows of this.parsed(sql, parameters, rowSchema, settings)) all.push(...rows);
        return all;
      }),
    );
  }

  async *stream<Row>(
    sql: string,
    parameters: QueryParameters,
    rowSchema: RowSchema<Row>,
  ): AsyncIterable<Row[]> {
    const leave = this.enter();
    try {
      yield* this.parsed(sql, parameters, rowSchema, SAME_MEANING);
    } catch (error) {
      throw this.errorOf(error, 'warehouse query');
    } finally {
      leave();
    }
  }

  /** A statement without rows. */
  async command(sql: string, parameters: QueryParameters = {}): Promise<void> {
    const { sql: query, values } = boundStatement(sql, parameters);
    await this.call('warehouse statement', () =>
      this.client.command({
        query,
        query_params: values,
        clickhouse_settings: this.limits({ wait_end_of_query: 1 }),
      }),
    );
  }

  /** @param rows in RowBinary. An insert that broke off is sent once more, so rows must bear being there twice */
  async insert(table: string, columns: string, rows: Buffer, queryId?: string): Promise<void> {
    const send = async (): Promise<void> => {
      const { stream } = await this.client.exec({
        query: `INSERT INTO ${table} (${columns}) FORMAT RowBinary`,
        values: Readable.from([rows], { objectMode: false }),
        clickhouse_settings: this.limits(INSERT_SETTINGS),
        ...(queryId === undefined ? {} : { query_id: queryId }),
      });
      await finished(stream.resume());
    };
    await this.call(`insert into ${table}`, () => twiceIfLost(send));
  }

  /** A Parquet file whose columns bear the table's names. */
  async insertParquet(table: string, file: string): Promise<void> {
    await this.call(`insert into ${table}`, () =>
      twiceIfLost(() =>
        this.client.insert({
          table,
          values: createReadStream(file),
          format: 'Parquet',
          clickhouse_settings: this.limits(INSERT_SETTINGS),
        }),
      ),
    );
  }

  /** Small rows that need not be fast. */
  async insertObjects(table: string, values: readonly SmallRow[]): Promise<void> {
    await this.call(`insert into ${table}`, () =>
      twiceIfLost(() =>
        this.client.insert({
          table,
          values,
          format: 'JSONEachRow',
          clickhouse_settings: this.limits(INSERT_SETTINGS),
        }),
      ),
    );
  }

  /** Makes a table for as long as this connection's session is, fills it, and takes it away again after the work. */
  async withTables<Result>(tables: readonly SuppliedTable[], work: () => Promise<Result>): Promise<Result> {
    const made: string[] = [];
    try {
      for (const table of tables) {
        await this.supply(table);
        made.push(table.name);
      }
      return await work();
    } finally {
      // One that can't be dropped ends with its session.
      for (const name of made) {
        await this.command(`DROP TEMPORARY TABLE IF EXISTS ${name}`).catch(() => undefined);
      }
    }
  }

  /** Sent once: rows that an answer was lost of would be there twice. */
  private async supply({ name, columns, rows }: SuppliedTable): Promise<void> {
    await this.command(`CREATE TEMPORARY TABLE ${name} (${columnList({ columns }, CLICKHOUSE_TYPES)})`);
    if (rows.length === 0) return;
    await this.call(`table ${name}`, () =>
      this.client.insert({
        table: name,
        values: rows,
        format: 'JSONCompactEachRow',
        clickhouse_settings: this.limits({ ...INSERT_SETTINGS, date_time_input_format: 'best_effort' }),
      }),
    );
  }

  /** Rows as they come, before any schema; errors are the client's own. */
  async read(
    { sql, values }: BoundStatement,
    settings: ClickHouseSettings,
    signal?: AbortSignal,
  ): Promise<DecodedResult> {
    const result = await this.client.query({
      query: sql,
      query_params: values,
      format: 'JSONCompactEachRowWithNamesAndTypes',
      clickhouse_settings: { ...this.limits(settings), ...EXACT_JSON, ...READ_SETTINGS },
      ...(signal === undefined ? {} : { abort_signal: signal }),
    });
    return decodedResult(result.stream());
  }

  /**
   * What EXPLAIN says, line by line; errors are the client's own. A FORMAT behind it would belong to the statement that is explained,
   * so the format is asked for beside it.
   */
  async explained(sql: string, settings: ClickHouseSettings): Promise<string[]> {
    const { stream } = await this.client.exec({
      query: `EXPLAIN ${sql}`,
      clickhouse_settings: {
        ...this.limits({ ...settings, wait_end_of_query: 1 }),
        default_format: 'JSONCompactEachRow',
      },
    });
    const lines = (await text(stream)).split('\n').filter((line) => line !== '');
    return lines.map((line) => ExplainedLine.parse(JSON.parse(line))[0]);
  }

  /** A whole result in another format; errors are the client's own. */
  async bytes(
    sql: string,
    format: string,
    settings: ClickHouseSettings,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const { stream } = await this.client.exec({
      query: `${sql}\nFORMAT ${format}`,
      clickhouse_settings: { ...this.limits({ ...settings, wait_end_of_query: 1 }), ...READ_SETTINGS },
      abort_signal: signal,
    });
    return new Uint8Array(await buffer(stream));
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all(this.underWay);
    await this.client.close();
  }

  errorOf(error: unknown, what: string): Error {
    return clickHouseError(error, what, this.target.origin);
  }

  private async *parsed<Row>(
    sql: string,
    parameters: QueryParameters,
    rowSchema: RowSchema<Row>,
    settings: ClickHouseSettings,
  ): AsyncIterable<Row[]> {
    const { columns, batches } = await this.read(boundStatement(sql, parameters), settings);
    const names = columns.map(({ name }) => name);
    for await (const batch of batches) yield batch.map((row) => parsedRow(names, row, sql, rowSchema));
  }

  private limits(settings: ClickHouseSettings): ClickHouseSettings {
    return { max_execution_time: this.config.timeoutMs / 1000, ...settings };
  }

  private async call<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
    const leave = this.enter();
    try {
      return await work();
    } catch (error) {
      throw this.errorOf(error, what);
    } finally {
      leave();
    }
  }

  private enter(): () => void {
    if (this.isClosed) throw closedError();
    let leave = (): void => undefined;
    const working = new Promise<void>((resolve) => {
      leave = resolve;
    });
    this.underWay.add(working);
    return () => {
      this.underWay.delete(working);
      leave();
    };
  }
}

/** An idle connection that the server just closed looks like one that broke off: what is the same when sent twice is. */
async function twiceIfLost<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!isConnectionLost(error)) throw error;
    return work();
  }
}

function certificateAuthority(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const problem = `HEADGATE_CLICKHOUSE_CA_FILE: ${file} can't be read; name a PEM file`;
    throw new InputError('invalid_config', `config: ${problem}`, { details: { problems: [problem] }, cause });
  }
}
