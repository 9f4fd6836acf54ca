import { reportConflicts, standingArrivals } from '../ingest/conflicts.js';
import type { Lake } from '../platform/lake.js';
import type { DuckdbWarehouse } from '../platform/warehouse/duckdb-warehouse.js';
import { companyInputs } from '../transforms/runner/company-inputs.js';
import { duckdbBuilder } from '../transforms/runner/duckdb-builder.js';
import { createTransformer, type Transformer } from '../transforms/runner/transform.js';
import { codeRevision } from './code-revision.js';
import { dbtSetup } from './dbt-setup.js';
import type { TransformerParts } from './transformer-parts.js';

interface EmbeddedParts {
  readonly warehouse: DuckdbWarehouse;
  readonly lake: Lake;
}

/** Fewer lake parts than this in a month cost readers nothing worth a rewrite. */
export const COMPACT_FROM_PARTS = 8;

/** Runs over a data directory's own engines. */
export function embeddedTransformer(
  parts: TransformerParts,
  { warehouse, lake }: EmbeddedParts,
): Transformer {
  const { config, clock, directory, sql, runs, catalogs, assertLeader } = parts;
  return createTransformer({
    sql,
    warehouse,
    builder: duckdbBuilder({
      warehouse,
      layout: directory,
      clock,
      dbt: dbtSetup(parts, directory),
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
    ...(assertLeader === undefined ? {} : { assertLeader }),
  });
}
