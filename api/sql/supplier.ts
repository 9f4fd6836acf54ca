import type { Instant } from '../../core/time.js';
import type { SuppliedType, SuppliedValue } from '../../platform/warehouse/supplied-table.js';
import type { Run } from '../../transforms/run-store.js';
import type { Services } from '../services.js';

/** What a supplied table is made of. */
export interface Asked {
  readonly run: Run | null;
  readonly services: Services;
  readonly now: Instant;
  /** Periods of usage that ended before are left out; all are there where it is not said. */
  readonly usageSince?: Instant;
}

/** A relation that no transform builds: made for a statement that names it. */
export interface Supplier {
  readonly columns: Readonly<Record<string, SuppliedType>>;
  /** Null: without a run there is none. */
  readonly rows: (asked: Asked) => Promise<readonly (readonly SuppliedValue[])[] | null>;
}
