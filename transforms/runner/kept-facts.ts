import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { z } from 'zod';
import { parseInstant } from '../../core/time.js';
import type { BulkSession, BulkWarehouse } from '../../platform/warehouse/bulk-warehouse.js';
import type { KeptFacts } from './run-builder.js';

const TableName = z.object({ table_name: z.string() });
/** The row of `facts_state`, on either engine. */
export const FactsState = z
  .object({ run_id: z.string(), as_of_text: z.string(), definition: z.string(), build_kind: z.string() })
  .transform((row): KeptFacts => ({
    runId: row.run_id,
    asOf: parseInstant(`${row.as_of_text.replace(' ', 'T')}Z`),
    definition: row.definition,
    wasIncremental: row.build_kind === 'incremental',
  }));

/** Opens a facts file for reading, for as long as `work` takes. Only runs may: dbt needs the file for itself. */
export function withFactsFile<Result>(
  warehouse: BulkWarehouse,
  factsFile: string,
  work: (session: BulkSession) => Promise<Result>,
): Promise<Result> {
  return warehouse.bulk(async (session) => {
    await session.run(`attach '${factsFile.replaceAll("'", "''")}' as facts (read_only)`);
    try {
      return await work(session);
    } finally {
      await session.run('detach facts');
    }
  });
}

/** What DuckDB says of a file that is no database any more: cut off, overwritten, or with a block that does not add up. */
const DAMAGED = /not a valid duckdb|corrupt|checksum|could not read enough bytes|serialization error/i;

/**
 * The state of kept facts; null when there are none, or when a build of them did not finish. Facts follow from the lake alone, so a
 * damaged file is not mended but taken away, and the run builds anew.
 */
export async function readKeptFacts(warehouse: BulkWarehouse, factsFile: string): Promise<KeptFacts | null> {
  if (!existsSync(factsFile)) return null;
  try {
    return await readState(warehouse, factsFile);
  } catch (error) {
    if (!(error instanceof Error) || !DAMAGED.test(error.message)) throw error;
    await removeFacts(factsFile);
    return null;
  }
}

/** A build that starts from nothing starts without the old file: whatever was wrong with it goes too. */
export async function removeFacts(factsFile: string): Promise<void> {
  await rm(factsFile, { force: true });
  await rm(`${factsFile}.wal`, { force: true });
}

function readState(warehouse: BulkWarehouse, factsFile: string): Promise<KeptFacts | null> {
  return withFactsFile(warehouse, factsFile, async (session) => {
    const tables = await session.query(
      `select table_name from duckdb_tables() where database_name = 'facts' and table_name = 'facts_state'`,
      {},
      TableName,
    );
    if (tables.length === 0) return null;
    const [state] = await session.query(
      'select run_id, as_of_text, definition, build_kind from facts.main.facts_state',
      {},
      FactsState,
    );
    return state ?? null;
  });
}
