import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';

/** Drizzle. The result of `execute` differs by driver; read rows through tables instead. */
export type SqlDatabase = PgDatabase<PgQueryResultHKT>;

/** The transactional store: keys, vault, catalog versions, runs and their pointer, quarantine, audit. */
export interface Sql {
  readonly database: SqlDatabase;
  /** Whether other processes may have it open too: then what one of them changes, the others must notice. */
  readonly isShared: boolean;
  /**
   * False for PGlite, which never calls fsync, and for a server that was told not to: it survives a killed process, not a power cut.
   * What moves real money asks for true.
   */
  readonly survivesPowerCut: boolean;
  /** Brings the tables to this version; a store that is newer than this version is refused. */
  migrate(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Runs inside one transaction. PGlite has a single session, so everybody else waits meanwhile: never call
 * another service, and never use `sql.database` itself, inside `work`.
 */
export function transaction<Result>(
  sql: Sql,
  work: (database: SqlDatabase) => Promise<Result>,
): Promise<Result> {
  return sql.database.transaction((database) => work(database));
}
