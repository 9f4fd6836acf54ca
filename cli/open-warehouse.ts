import type { Config } from '../platform/config.js';
import type { DataDirectoryLayout } from '../platform/data-directory.js';
import { LakeFiles } from '../platform/lake-files.js';
import { Lake } from '../platform/lake.js';
import type { DuckdbOptions } from '../platform/warehouse/duckdb-engine.js';
import { DuckdbUserSql } from '../platform/warehouse/duckdb-user-sql.js';
import { DuckdbWarehouse } from '../platform/warehouse/duckdb-warehouse.js';
import type { UserSql } from '../platform/warehouse/user-sql.js';

/** Raw events, and what stands on the engine that holds them. */
export interface OpenedWarehouse {
  readonly warehouse: DuckdbWarehouse;
  readonly lake: Lake;
  readonly userSql: UserSql;
}

/** The data directory's own warehouse. */
export async function openWarehouse(
  config: Config,
  directory: DataDirectoryLayout,
): Promise<OpenedWarehouse> {
  const lakeFiles = new LakeFiles(directory.lakeDirectory);
  const warehouse = await DuckdbWarehouse.open(duckdbOptions(config, directory), lakeFiles);
  const userSql = new DuckdbUserSql(lakeFiles, {
    ...config.userSql,
    concurrent: 2,
    temporaryDirectory: directory.temporaryDirectory,
  });
  return { warehouse, lake: Lake.open(warehouse, lakeFiles), userSql };
}

export function duckdbOptions(config: Config, directory: DataDirectoryLayout): DuckdbOptions {
  return {
    file: directory.warehouseFile,
    temporaryDirectory: directory.temporaryDirectory,
    memoryMib: config.warehouse.memoryMib,
    threads: config.warehouse.threads,
    readConnections: 4,
    checkpointMib: 64,
  };
}
