import { randomBytes } from 'node:crypto';
import { rmSync, symlinkSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { DuckDBInstance, type DuckDBConnection, type DuckDBType } from '@duckdb/node-api';
import { HeadgateError, InputError } from '../core/errors.js';
import { exactValue, kindOf, type ColumnKind } from './parquet-values.js';
import { messageOf, warehouseError } from './warehouse/duckdb-errors.js';
import { requireWhole, StreamBroken } from './warehouse/duckdb-stream.js';
import { sqlName, sqlText } from './warehouse/duckdb-values.js';

export interface ParquetColumn {
  readonly name: string;
  readonly kind: ColumnKind;
  /** As the engine writes it: DECIMAL(18,2). */
  readonly type: string;
}

/** A few pages of each column that is read; row groups of any usual size stay far below. */
const MEMORY_MIB = 512;

/**
 * A Parquet file, read by an engine of its own, from any warehouse: its rows in their order, never held at once.
 */
export class ParquetFile {
  private constructor(
    readonly name: string,
    readonly columns: readonly ParquetColumn[],
    readonly rowCount: bigint,
    private readonly types: ReadonlyMap<string, DuckDBType>,
    private readonly connection: DuckDBConnection,
    private readonly instance: DuckDBInstance,
    private readonly link: string,
  ) {}

  /**
   * @throws InputError `truncated_file` when the index at its end is missing, `unsupported_format` when it is encrypted, `invalid_file`
   *   when the engine can't read it
   */
  static async open(path: string, temporaryDirectory: string): Promise<ParquetFile> {
    const name = basename(path);
    // Under a name of ours: the engine takes stars and brackets in a path for a pattern, and "day=1" for a column.
    const link = join(temporaryDirectory, `parquet-${randomBytes(6).toString('hex')}`);
    symlinkSync(resolve(path), link);
    let instance: DuckDBInstance | null = null;
    try {
      instance = await DuckDBInstance.create(':memory:', {
        threads: '1',
        memory_limit: `${MEMORY_MIB}MiB`,
        temp_directory: '',
        autoinstall_known_extensions: 'false',
        autoload_known_extensions: 'false',
      });
      const connection = await instance.connect();
      // What is read ahead is lost where the file turns out to be damaged.
      await connection.run(`SET streaming_buffer_size = '64KB'`);
      const shape = await connection.run(`SELECT * FROM ${relation(link)} LIMIT 0`);
      const types = new Map(shape.columnNames().map((column, index) => [column, shape.columnType(index)]));
      const counted = await connection.runAndReadAll(
        `SELECT num_rows FROM parquet_file_metadata(${sqlText(link)})`,
      );
      const columns = [...types].map(([column, type]) => ({
        name: column,
        kind: kindOf(type),
        type: String(type),
      }));
      const rowCount = BigInt(String(counted.getRows()[0]?.[0] ?? 0));
      return new ParquetFile(name, columns, rowCount, types, connection, instance, link);
    } catch (error) {
      instance?.closeSync();
      rmSync(link, { force: true });
      throw parquetError(error, name);
    }
  }

  /**
   * Batches of rows, each with the values of these columns in their order, as `exactValue` has them.
   *
   * @throws InputError `truncated_file` where the file is damaged, after the rows before; `invalid_utf8`
   */
  async *rows(columns: readonly string[]): AsyncGenerator<readonly (readonly unknown[])[]> {
    const types = columns.map((column) => this.types.get(column));
    const names = columns.map(sqlName).join(', ');
    try {
      const result = await this.connection.stream(`SELECT ${names} FROM ${relation(this.link)}`);
      for await (const batch of result.yieldRows()) {
        yield batch.map((row) =>
          row.map((value, index) => {
            const type = types[index];
            return type === undefined ? null : exactValue(value, type);
          }),
        );
      }
      requireWhole(result);
    } catch (error) {
      throw parquetError(error instanceof StreamBroken ? await this.faultIn(names, error) : error, this.name);
    }
  }

  /** What is wrong with the file: a stream that broke off does not say, reading all of it at once does. */
  private async faultIn(names: string, unsaid: Error): Promise<unknown> {
    try {
      await this.connection.run(`SELECT max(hash(${names})) FROM ${relation(this.link)}`);
      return unsaid;
    } catch (error) {
      return error;
    }
  }

  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
    rmSync(this.link, { force: true });
  }
}

function relation(link: string): string {
  return `read_parquet(${sqlText(link)}, hive_partitioning = false)`;
}

function parquetError(error: unknown, name: string): HeadgateError {
  if (error instanceof HeadgateError) return error;
  const message = (messageOf(error).split('\n', 1)[0] ?? '').replaceAll(
    /["']?\S*\/parquet-[0-9a-f]{12}["']?/g,
    name,
  );
  const fail = (code: HeadgateError['code'], says: string): InputError =>
    new InputError(code, `file ${name}: ${says}`, { details: { file: name }, cause: error });
  if (/no magic bytes found at end|too small to be a parquet/i.test(message)) {
    return fail(
      'truncated_file',
      'breaks off: the index that ends a Parquet file is missing, and without it nothing of it can be read. Get the file again',
    );
  }
  if (/encrypted|encryption/i.test(message)) {
    return fail('unsupported_format', 'is an encrypted Parquet file; export it without encryption');
  }
  if (/not valid utf-?8|invalid string encoding/i.test(message)) {
    return fail('invalid_utf8', `holds text that is not UTF-8 (${message}); export it again as UTF-8`);
  }
  if (/^out of memory/i.test(message)) {
    return fail(
      'invalid_file',
      `one of its row groups needs more than ${MEMORY_MIB} MiB to be read; export it with smaller row groups`,
    );
  }
  if (/^(internal|fatal) error|^failed to set config/i.test(message))
    return warehouseError(error, `file ${name}`);
  return fail(
    'truncated_file',
    `the Parquet data is damaged (${message}); rows before that point were taken in. ` +
      'Get the file again and ingest it again: nothing will count twice',
  );
}
