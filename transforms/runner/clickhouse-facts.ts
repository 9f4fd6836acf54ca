import { factsDatabase } from '../../platform/warehouse/clickhouse-target.js';
import { tablesOf, type BuildConnection } from './clickhouse-databases.js';
import { FactsState } from './kept-facts.js';
import type { KeptFacts } from './run-builder.js';
import type { Run } from '../run-store.js';

/** The facts of the current run: they never change, so what they stand at is what it was when they were built. */
export async function readRunFacts(
  connection: BuildConnection,
  current: Run | null,
): Promise<KeptFacts | null> {
  if (current === null) return null;
  const facts = factsDatabase(connection.target.database, current.runId);
  if (!(await tablesOf(connection, facts)).includes('facts_state')) return null;
  const [state] = await connection.query(
    `SELECT run_id, as_of_text, definition, build_kind FROM ${facts}.facts_state`,
    {},
    FactsState,
  );
  return state ?? null;
}

/** The tables again, without a row being copied: parts are shared until one side changes. */
export async function cloneFacts(connection: BuildConnection, from: string, to: string): Promise<void> {
  for (const table of await tablesOf(connection, from)) {
    await connection.command(`CREATE TABLE ${to}.${table} CLONE AS ${from}.${table}`);
  }
}
