import type { Config } from '../platform/config.js';
import type { DataDirectoryLayout } from '../platform/data-directory.js';
import { LakeFiles } from '../platform/lake-files.js';
import { Lake } from '../platform/lake.js';
import type { BulkWarehouse } from '../platform/warehouse/bulk-warehouse.js';
import { openClickHouseWarehouse } from '../platform/warehouse/clickhouse-warehouse.js';
import type { DuckdbOptions } from '../platform/warehouse/duckdb-engine.js';
import { DuckdbUserSql } from '../platform/warehouse/duckdb-user-sql.js';
import { DuckdbWarehouse } from '../platform/warehouse/duckdb-warehouse.js';
import type { UserSql, UserSqlLimits } from '../platform/warehouse/user-sql.js';
import type { Warehouse } from '../platform/warehouse/warehouse.js';
import type { Transformer } from '../transforms/runner/transform.js';
import { clickHouseTransformer } from './clickhouse-transformer.js';
import { embeddedTransformer } from './embedded-transformer.js';
import type { TransformerParts } from './transformer-parts.js';

/** Raw events, and what stands on the engine that holds them. */
export interface OpenedWarehouse {
  readonly warehouse: Warehouse;
  /** The engine itself reads files; null where it is not in this process. */
  readonly bulk: BulkWarehouse | null;
  readonly userSql: UserSql;
  readonly pageSql: UserSql;
  /** Of a server's; null for the data directory's own, which no other process can have. */
  readonly identity: string | null;
  /** To be called whenever this process becomes the only one that appends without a log between. */
  readonly beginWriting: () => void;
  readonly transformer: (parts: TransformerParts) => Transformer;
  /** Null where raw rows stay on a server. */
  readonly lake: Lake | null;
}

/** A browser holds no more. */
const PAGE_ROWS = 2_000_000;

/** The warehouse that CLICKHOUSE_URL names, else the data directory's own. */
export function openWarehouse(config: Config, directory: DataDirectoryLayout): Promise<OpenedWarehouse> {
  const limits = { ...config.userSql, concurrent: 2, temporaryDirectory: directory.temporaryDirectory };
  // A mart has as many rows as it has, and people's own SQL must not keep a page waiting.
  const pageLimits = { ...limits, maxRows: PAGE_ROWS };
  return config.clickHouse === null
    ? openEmbedded(config, directory, limits, pageLimits)
    : openServer(config.clickHouse, limits, pageLimits);
}

async function openEmbedded(
  config: Config,
  directory: DataDirectoryLayout,
  limits: UserSqlLimits & { readonly temporaryDirectory: string },
  pageLimits: typeof limits,
): Promise<OpenedWarehouse> {
  const lakeFiles = new LakeFiles(directory.lakeDirectory);
  const warehouse = await DuckdbWarehouse.open(duckdbOptions(config, directory), lakeFiles);
  const lake = Lake.open(warehouse, lakeFiles);
  return {
    warehouse,
    bulk: warehouse,
    userSql: new DuckdbUserSql(lakeFiles, limits),
    pageSql: new DuckdbUserSql(lakeFiles, pageLimits),
    identity: null,
    beginWriting: () => undefined,
    transformer: (parts) => embeddedTransformer(parts, { warehouse, lake }),
    lake,
  };
}

async function openServer(
  clickHouse: NonNullable<Config['clickHouse']>,
  limits: UserSqlLimits,
  pageLimits: UserSqlLimits,
): Promise<OpenedWarehouse> {
  const warehouse = await openClickHouseWarehouse(clickHouse);
  return {
    warehouse,
    bulk: null,
    userSql: warehouse.userSql(limits),
    pageSql: warehouse.userSql(pageLimits),
    identity: warehouse.warehouseId(),
    beginWriting: () => {
      warehouse.beginWriting();
    },
    transformer: (parts) => clickHouseTransformer(parts, { clickHouse, warehouse }),
    lake: null,
  };
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
