import { RefusedError } from '../core/errors.js';
import type { Instant } from '../core/time.js';
import { copyRawRows, type CopiedStream } from '../platform/company-copy/copy-raw.js';
import { copyStore, type CopiedTable } from '../platform/company-copy/copy-store.js';
import type { Config } from '../platform/config.js';
import { openDataDirectory, requireDataDirectory, type DataDirectory } from '../platform/data-directory.js';
import { LakeFiles } from '../platform/lake-files.js';
import { openPgSql } from '../platform/sql/pg-sql.js';
import { openPgliteSql } from '../platform/sql/pglite-sql.js';
import { openClickHouseWarehouse } from '../platform/warehouse/clickhouse-warehouse.js';
import { DuckdbWarehouse } from '../platform/warehouse/duckdb-warehouse.js';
import { duckdbOptions } from './open-warehouse.js';

export interface CompanyCopy {
  readonly tables: readonly CopiedTable[];
  readonly streams: readonly CopiedStream[];
}

interface CopyCall {
  readonly config: Config;
  readonly now: Instant;
  readonly onProgress: (message: string) => void;
}

/**
 * Copies an embedded company into the services whose URLs are set: the store into DATABASE_URL, raw events into CLICKHOUSE_URL. The
 * directory is held meanwhile, so nothing comes in between, and it stays as it is.
 *
 * @throws RefusedError `copy_conflict` where a target holds another company
 */
export async function copyCompany({ config, now, onProgress }: CopyCall): Promise<CompanyCopy> {
  if (config.database === null && config.clickHouse === null) {
    throw new RefusedError(
      'invalid_config',
      'lake copy-to: set DATABASE_URL, CLICKHOUSE_URL or both; they name where the company goes',
    );
  }
  requireDataDirectory(config.dataDirectory);
  const directory = await openDataDirectory(config.dataDirectory, { command: 'headgate lake copy-to', now });
  try {
    const tables = config.database === null ? [] : await copyTables(config.database, directory, onProgress);
    const streams =
      config.clickHouse === null
        ? []
        : await copyEvents(config, config.clickHouse, directory, { now, onProgress });
    return { tables, streams };
  } finally {
    await directory.release();
  }
}

async function copyTables(
  database: NonNullable<Config['database']>,
  directory: DataDirectory,
  onProgress: (message: string) => void,
): Promise<CopiedTable[]> {
  const source = await openPgliteSql(directory.sqlDirectory);
  try {
    await source.migrate();
    const target = await openPgSql(database);
    try {
      await target.migrate();
      return await copyStore(source, target, onProgress);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function copyEvents(
  config: Config,
  clickHouse: NonNullable<Config['clickHouse']>,
  directory: DataDirectory,
  { now, onProgress }: Pick<CopyCall, 'now' | 'onProgress'>,
): Promise<CopiedStream[]> {
  const source = await DuckdbWarehouse.open(
    duckdbOptions(config, directory),
    new LakeFiles(directory.lakeDirectory),
  );
  try {
    const target = await openClickHouseWarehouse(clickHouse);
    try {
      const options = { temporaryDirectory: directory.temporaryDirectory, now, onProgress };
      return await copyRawRows(source, target, options);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}
