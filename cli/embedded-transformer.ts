import type { Lake } from '../platform/lake.js';
import type { DuckdbWarehouse } from '../platform/warehouse/duckdb-warehouse.js';
import { duckdbBuilder } from '../transforms/runner/duckdb-builder.js';
import type { Transformer } from '../transforms/runner/transform.js';
import { companyTransformer } from './company-transformer.js';
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
  const { clock, directory } = parts;
  const builder = duckdbBuilder({
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
  });
  return companyTransformer(parts, warehouse, builder);
}
