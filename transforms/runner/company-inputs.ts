import { catalogTables } from '../../core/catalog-tables.js';
import type { CatalogStore } from '../../platform/catalog-store.js';
import type { InputTable } from './run-inputs.js';

const DECISION_COLUMNS = {
  stream: 'text',
  identity: 'text',
  log_partition: 'integer',
  log_offset: 'bigint',
} as const;

/** Which arrival of a conflicting identity stands, where somebody decided; without a decision it is the first. */
export interface StandingArrival {
  readonly stream: string;
  readonly identity: string;
  readonly logPartition: number;
  readonly logOffset: bigint;
}

/** What a run joins beside the events: all published catalog versions, and the decisions on conflicts. */
export async function companyInputs(
  catalogs: CatalogStore,
  decisions: readonly StandingArrival[],
): Promise<{ catalogVersion: bigint | null; tables: Record<string, InputTable> }> {
  const published = await catalogs.published();
  const rows = decisions.map((arrival) => ({
    stream: arrival.stream,
    identity: arrival.identity,
    log_partition: arrival.logPartition,
    log_offset: arrival.logOffset,
  }));
  return {
    catalogVersion: published.at(-1)?.version ?? null,
    tables: { ...catalogTables(published), conflict_decisions: { columns: DECISION_COLUMNS, rows } },
  };
}
