import { reportConflicts, standingArrivals } from '../ingest/conflicts.js';
import type { Warehouse } from '../platform/warehouse/warehouse.js';
import { companyInputs } from '../transforms/runner/company-inputs.js';
import type { RunBuilder } from '../transforms/runner/run-builder.js';
import { createTransformer, type Transformer } from '../transforms/runner/transform.js';
import { codeRevision } from './code-revision.js';
import type { TransformerParts } from './transformer-parts.js';

/** Runs over a company's own store and warehouse; how one is built is the engine's. */
export function companyTransformer(
  { config, clock, sql, runs, catalogs, assertLeader }: TransformerParts,
  warehouse: Warehouse,
  builder: RunBuilder,
): Transformer {
  return createTransformer({
    sql,
    warehouse,
    builder,
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
