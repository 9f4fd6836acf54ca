import { tablesOf, type BuildConnection } from './clickhouse-databases.js';

/** Where BI tools look: the marts of the current run under names that stay. */
export const viewsDatabase = (main: string): string => `${main}_marts`;

/** What a run works out on its way to a mart. */
const isMart = (table: string): boolean => !table.startsWith('int_') && table !== 'run_event_counts';

/**
 * Moves the views for BI tools to a run. One after another: whoever reads two while they move may see two runs, which the API and the
 * command line never do. They read as their definer, so that a reader needs no right on the databases of runs.
 */
export async function moveViews(connection: BuildConnection, run: string): Promise<void> {
  const views = viewsDatabase(connection.target.database);
  await connection.command(`CREATE DATABASE IF NOT EXISTS ${views}`);
  const marts = (await tablesOf(connection, run)).filter(isMart);
  for (const mart of marts) {
    await connection.command(
      `CREATE OR REPLACE VIEW ${views}.${mart} DEFINER = CURRENT_USER SQL SECURITY DEFINER AS SELECT * FROM ${run}.${mart}`,
    );
  }
  const gone = (await tablesOf(connection, views)).filter((view) => !marts.includes(view));
  for (const view of gone) await connection.command(`DROP VIEW IF EXISTS ${views}.${view}`);
}
