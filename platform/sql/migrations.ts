import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { HeadgateError, RefusedError } from '../../core/errors.js';
import { packagePath } from '../package-path.js';
import type { SqlDatabase } from './sql.js';

export const MIGRATIONS_FOLDER = packagePath('platform', 'sql', 'migrations');

const Journal = z.object({ entries: z.array(z.object({ when: z.number(), tag: z.string() })) });

/** The migrations that this version ships, oldest first. */
export function shippedMigrations(): { tag: string; when: number }[] {
  const journal = readFileSync(join(MIGRATIONS_FOLDER, 'meta', '_journal.json'), 'utf8');
  return Journal.parse(JSON.parse(journal)).entries;
}

/**
 * Brings the tables to this version, or changes nothing.
 *
 * @param apply the driver's own migrator
 * @param known makes ours of a driver's error, where it is one that callers can act on
 */
export async function migrateStore(
  database: SqlDatabase,
  apply: () => Promise<void>,
  known: (error: unknown) => unknown = (error) => error,
): Promise<void> {
  await refuseNewerStore(database);
  try {
    await apply();
  } catch (error) {
    const cause = known(error);
    if (cause instanceof HeadgateError) throw cause;
    throw new RefusedError('schema_migration_failed', 'sql: a migration failed; nothing was changed by it', {
      cause,
    });
  }
}

/**
 * Drizzle applies what is missing and says nothing about a store that is ahead of it: an older headgate would
 * write rows that a newer one no longer expects.
 */
async function refuseNewerStore(database: SqlDatabase): Promise<void> {
  const applied = await lastAppliedMigration(database);
  const newest = shippedMigrations().at(-1)?.when ?? 0;
  if (applied > newest) {
    throw new RefusedError(
      'data_directory_newer',
      'sql: the store was migrated by a newer headgate; install that version, or restore a backup made before it',
    );
  }
}

const Found = z.array(z.object({ found: z.boolean() }));
const Last = z.array(z.object({ last: z.coerce.number() }));

async function lastAppliedMigration(database: SqlDatabase): Promise<number> {
  const [table] = Found.parse(
    await rows(database, sql`select to_regclass('drizzle.__drizzle_migrations') is not null as found`),
  );
  if (table?.found !== true) return 0;
  const [row] = Last.parse(
    await rows(
      database,
      sql`select coalesce(max(created_at), 0)::text as last from drizzle.__drizzle_migrations`,
    ),
  );
  return row?.last ?? 0;
}

const Rows = z.object({ rows: z.array(z.unknown()) });

/** Both drivers answer `execute` with an object that has `rows`; drizzle's common type does not say so. */
export async function rows(database: SqlDatabase, query: ReturnType<typeof sql>): Promise<unknown[]> {
  return Rows.parse(await database.execute(query)).rows;
}
