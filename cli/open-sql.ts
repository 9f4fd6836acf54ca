import type { Config } from '../platform/config.js';
import type { DataDirectoryLayout } from '../platform/data-directory.js';
import { openPgSql } from '../platform/sql/pg-sql.js';
import { openPgliteSql } from '../platform/sql/pglite-sql.js';
import type { Sql } from '../platform/sql/sql.js';
import { cacheDirectory } from './cache-directory.js';

/** The transactional store: the server that DATABASE_URL names, else the data directory's own. */
export function openSql(
  { database }: Config,
  { sqlDirectory, temporaryDirectory }: DataDirectoryLayout,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Sql> {
  if (database !== null) return openPgSql(database);
  return openPgliteSql(sqlDirectory, { cacheDirectory: cacheDirectory(environment), temporaryDirectory });
}
