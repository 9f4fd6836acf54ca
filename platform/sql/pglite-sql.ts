import { existsSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import { drizzle } from 'drizzle-orm/pglite';
import { migrate } from 'drizzle-orm/pglite/migrator';
import { UnavailableError } from '../../core/errors.js';
import { copyEmptyCluster, type Beginnings } from './empty-cluster.js';
import { MIGRATIONS_FOLDER, migrateStore } from './migrations.js';
import type { Sql } from './sql.js';

/**
 * Postgres in this process, for a data directory that this process holds (PGlite does not notice a second one).
 * It keeps the process alive until closed.
 *
 * @param directory where the tables live; `memory://` for a store that is gone at close
 * @param beginnings of new stores: they are copies of one that is kept; without it each is made anew
 */
export async function openPgliteSql(directory: string, beginnings: Beginnings | null = null): Promise<Sql> {
  if (beginnings !== null && !existsSync(directory)) await copyEmptyCluster(beginnings, directory);
  const client = await start(directory);
  const guard = guardAgainstStop(client);
  const database = drizzle({ client });
  return {
    database,
    isShared: false,
    survivesPowerCut: false,
    migrate: () => migrateStore(database, () => migrate(database, { migrationsFolder: MIGRATIONS_FOLDER })),
    async close() {
      if (!client.closed && !guard.hasStopped()) await client.close();
    },
  };
}

async function start(directory: string): Promise<PGlite> {
  try {
    const client = await PGlite.create({ dataDir: directory });
    // Instants are read back as text, in the session's zone.
    await client.exec("set timezone to 'UTC'");
    return client;
  } catch (error) {
    throw new UnavailableError(
      'sql_unavailable',
      `sql: the store in ${directory} does not start; if the disk is full, free some space and try again`,
      { cause: error },
    );
  }
}

/**
 * Postgres that can't write its own log (a full disk) says so once and stops. PGlite does not come back from the call after that,
 * and holds up the whole process; so that call is not made. What was answered before is safe, and the next start recovers.
 */
function guardAgainstStop(client: PGlite): { hasStopped(): boolean } {
  let hasStopped = false;
  const ask = client.execProtocolStream.bind(client);
  client.execProtocolStream = async (message, options) => {
    if (hasStopped) {
      throw new UnavailableError(
        'sql_unavailable',
        'sql: the store stopped when the disk was full; free some space, then start headgate again',
      );
    }
    try {
      return await ask(message, options);
    } catch (error) {
      if (error instanceof Error && /pg_wal\/.*(No space left on device|File too large)/s.test(error.message))
        hasStopped = true;
      throw error;
    }
  };
  return { hasStopped: () => hasStopped };
}
