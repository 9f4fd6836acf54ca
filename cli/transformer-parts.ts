import type { Instant } from '../core/time.js';
import type { CatalogStore } from '../platform/catalog-store.js';
import type { Config } from '../platform/config.js';
import type { DataDirectoryLayout } from '../platform/data-directory.js';
import type { Sql } from '../platform/sql/sql.js';
import type { RunAccess } from '../transforms/run-access.js';
import type { AssertLeader } from '../transforms/run-store.js';

/** What runs need of a process, whatever the engine. */
export interface TransformerParts {
  readonly config: Config;
  readonly clock: () => Instant;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory: DataDirectoryLayout;
  readonly sql: Sql;
  readonly runs: Pick<RunAccess, 'pointerMoved'>;
  readonly catalogs: CatalogStore;
  /** Where several processes may build: throws inside the publishing transaction when another one has taken over. */
  readonly assertLeader?: AssertLeader;
}
