import type { Config } from '../platform/config.js';
import type { DataDirectoryLayout } from '../platform/data-directory.js';
import { openPgSql } from '../platform/sql/pg-sql.js';
import { openPgliteSql } from '../platform/sql/pglite-sql.js';
import type { Sql } from '../platform/sql/sql.js';

/** The transactional store: the server that DATABASE_URL names, else the data directory's own. */
export function openSql({ database }: Config, directory: DataDirectoryLayout): Promise<Sql> {
  return database === null ? openPgliteSql(directory.sqlDirectory) : openPgSql(database);
}
