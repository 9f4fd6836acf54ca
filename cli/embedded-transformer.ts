import { reportConflicts, standingArrivals } from '../ingest/conflicts.js';
import type { CatalogStore } from '../platform/catalog-store.js';
import type { DataDirectoryLayout } from '../platform/data-directory.js';
import type { Lake } from '../platform/lake.js';
import type { Sql } from '../platform/sql/sql.js';
import type { DuckdbWarehouse } from '../platform/warehouse/duckdb-warehouse.js';
import type { RunAccess } from '../transforms/run-access.js';
import { companyInputs } from '../transforms/runner/company-inputs.js';
import { ensurePythonEnvironment } from '../transforms/runner/python-environment.js';
import { createTransformer, type Transformer } from '../transforms/runner/transform.js';
import { cacheDirectory } from './cache-directory.js';
import { codeRevision } from './code-revision.js';
import type { RuntimeOptions } from './runtime.js';

interface Parts {
  readonly directory: DataDirectoryLayout;
  readonly sql: Sql;
  readonly warehouse: DuckdbWarehouse;
  readonly lake: Lake;
  readonly runs: RunAccess;
  readonly catalogs: CatalogStore;
}

/** Fewer lake parts than this in a month cost readers nothing worth a rewrite. */
export const COMPACT_FROM_PARTS = 8;

/** What dbt may see of our environment: where programs and caches are, nothing of ours. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TMPDIR', 'SSL_CERT_FILE'] as const;

/** Runs over a data directory's own engines. */
export function embeddedTransformer(
  { config, clock, environment }: RuntimeOptions,
  { directory, sql, warehouse, lake, runs, catalogs }: Parts,
): Transformer {
  return createTransformer({
    sql,
    warehouse,
    layout: directory,
    clock,
    codeRevision: codeRevision(),
    inherited: Object.fromEntries(INHERITED.map((name) => [name, environment[name]])),
    keepRuns: config.runsKept,
    cacheDirectory: cacheDirectory(environment),
    python: (onProgress) =>
      ensurePythonEnvironment({
        cacheDirectory: cacheDirectory(environment),
        onProgress,
        ...(config.python === null ? {} : { python: config.python }),
      }),
    exportLake: async (watermark) => {
      await lake.export(watermark);
    },
    leaseLake: () => lake.files.lease(),
    compactLake: async () => {
      await lake.compact({ minimumParts: COMPACT_FROM_PARTS });
    },
    reportConflicts: async (range) => {
      await reportConflicts({ sql, warehouse }, range, clock());
    },
    onPublished: () => {
      runs.pointerMoved();
    },
    inputs: async () => companyInputs(catalogs, await standingArrivals(sql)),
  });
}
