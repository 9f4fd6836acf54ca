import { reportConflicts, standingArrivals } from '../ingest/conflicts.js';
import type { CatalogStore } from '../platform/catalog-store.js';
import type { DataDirectoryLayout } from '../platform/data-directory.js';
import type { Lake } from '../platform/lake.js';
import type { Sql } from '../platform/sql/sql.js';
import type { DuckdbWarehouse } from '../platform/warehouse/duckdb-warehouse.js';
import type { RunAccess } from '../transforms/run-access.js';
import { companyInputs } from '../transforms/runner/company-inputs.js';
import { duckdbBuilder } from '../transforms/runner/duckdb-builder.js';
import { createTransformer, type Transformer } from '../transforms/runner/transform.js';
import { codeRevision } from './code-revision.js';
import { dbtSetup } from './dbt-setup.js';
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

/** Runs over a data directory's own engines. */
export function embeddedTransformer(
  options: RuntimeOptions,
  { directory, sql, warehouse, lake, runs, catalogs }: Parts,
): Transformer {
  const { config, clock } = options;
  return createTransformer({
    sql,
    warehouse,
    builder: duckdbBuilder({
      warehouse,
      layout: directory,
      clock,
      dbt: dbtSetup(options, directory),
      exportLake: async (watermark) => {
        await lake.export(watermark);
      },
      leaseLake: () => lake.files.lease(),
      compactLake: async () => {
        await lake.compact({ minimumParts: COMPACT_FROM_PARTS });
      },
    }),
    clock,
    codeRevision: codeRevision(),
    keepRuns: config.runsKept,
    reportConflicts: async (range) => {
      await reportConflicts({ sql, warehouse }, range, clock());
    },
    onPublished: () => {
      runs.pointerMoved();
    },
    inputs: companyInputs(catalogs, () => standingArrivals(sql)),
  });
}
