import type { Runtime } from '../../cli/runtime.js';
import type { Lake } from '../../platform/lake.js';
import type { BulkWarehouse } from '../../platform/warehouse/bulk-warehouse.js';

/** What only a company in a data directory has. */
export function embeddedPartsOf({ lake, services }: Runtime): {
  readonly lake: Lake;
  readonly bulkWarehouse: BulkWarehouse;
} {
  const { bulk } = services.ingest;
  if (lake === null || bulk === null) throw new Error('the company is not embedded');
  return { lake, bulkWarehouse: bulk };
}
