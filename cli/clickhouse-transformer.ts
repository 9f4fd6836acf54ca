import { reportConflicts, standingArrivals } from '../ingest/conflicts.js';
import type { ClickHouseConfig } from '../platform/config.js';
import { ClickHouseConnection } from '../platform/warehouse/clickhouse-connection.js';
import { clickHouseTarget } from '../platform/warehouse/clickhouse-target.js';
import type { Warehouse } from '../platform/warehouse/warehouse.js';
import { clickHouseBuilder } from '../transforms/runner/clickhouse-builder.js';
import { companyInputs } from '../transforms/runner/company-inputs.js';
import { createTransformer, type Transformer } from '../transforms/runner/transform.js';
import { codeRevision } from './code-revision.js';
import { dbtSetup } from './dbt-setup.js';
import type { TransformerParts } from './transformer-parts.js';

interface ClickHouseParts {
  readonly clickHouse: ClickHouseConfig;
  readonly warehouse: Warehouse;
}

/** Runs on a ClickHouse server. The data directory holds dbt's scratch, and the name that this process's builds go by. */
export function clickHouseTransformer(
  parts: TransformerParts,
  { clickHouse, warehouse }: ClickHouseParts,
): Transformer {
  const { config, clock, directory, sql, runs, catalogs, assertLeader } = parts;
  const connection = new ClickHouseConnection(clickHouseTarget(clickHouse.url), clickHouse);
  const transformer = createTransformer({
    sql,
    warehouse,
    builder: clickHouseBuilder({
      connection,
      config: clickHouse,
      layout: directory,
      clock,
      dbt: dbtSetup(parts, directory),
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
  return {
    transform: (request) => transformer.transform(request),
    stop: async () => {
      await transformer.stop();
      await connection.close();
    },
  };
}
