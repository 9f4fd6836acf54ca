import { eq } from 'drizzle-orm';
import { catalogTables } from '../../core/catalog-tables.js';
import type { CatalogStore } from '../../platform/catalog-store.js';
import { conflicts } from '../../platform/sql/schema.js';
import type { Sql } from '../../platform/sql/sql.js';
import type { InputTable } from './run-inputs.js';

const DECISION_COLUMNS = { stream: 'text', identity: 'text', log_partition: 'integer', log_offset: 'bigint' } as const;

/** What a run joins beside the events: all published catalog versions, and the decisions on conflicts. */
export async function companyInputs(
  sql: Sql,
  catalogs: CatalogStore,
): Promise<{ catalogVersion: bigint | null; tables: Record<string, InputTable> }> {
  const published = await catalogs.published();
  const tables: Record<string, InputTable> = { ...catalogTables(published) };
  tables['conflict_decisions'] = { columns: DECISION_COLUMNS, rows: await decisions(sql) };
  return { catalogVersion: published.at(-1)?.version ?? null, tables };
}

/** Only decisions against the first arrival change anything: without one, the first in the log stands. */
async function decisions(sql: Sql): Promise<InputTable['rows']> {
  const decided = await sql.database.select().from(conflicts).where(eq(conflicts.status, 'decided'));
  return decided
    .filter(({ decision }) => decision === 'other')
    .map((row) => ({
      stream: row.stream,
      identity: row.identity,
      log_partition: row.otherPartition,
      log_offset: row.otherOffset,
    }));
}
