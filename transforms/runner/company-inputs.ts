import { catalogTables } from '../../core/catalog-tables.js';
import type { CatalogStore } from '../../platform/catalog-store.js';
import type { RunInputs } from './transform.js';

const DECISION_COLUMNS = {
  stream: 'text',
  identity: 'text',
  log_partition: 'integer',
  log_offset: 'bigint',
} as const;

/** Which arrival of a conflicting identity stands: the decided one, else the one that was recorded first. */
export interface StandingArrival {
  readonly stream: string;
  readonly identity: string;
  readonly logPartition: number;
  readonly logOffset: bigint;
}

/** What a run joins beside the events: all published catalog versions, and what stands of each conflict. */
export function companyInputs(
  catalogs: CatalogStore,
  standingArrivals: () => Promise<readonly StandingArrival[]>,
): RunInputs {
  return {
    catalog: async () => {
      const published = await catalogs.published();
      return { version: published.at(-1)?.version ?? null, tables: catalogTables(published) };
    },
    decisions: async () => {
      const rows = (await standingArrivals()).map((arrival) => ({
        stream: arrival.stream,
        identity: arrival.identity,
        log_partition: arrival.logPartition,
        log_offset: arrival.logOffset,
      }));
      return { columns: DECISION_COLUMNS, rows };
    },
  };
}
