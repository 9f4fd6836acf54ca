import { reportConflicts, standingArrivals } from '../ingest/conflicts.js';
import type { CatalogStore } from '../platform/catalog-store.js';
import type { ClickHouseConfig } from '../platform/config.js';
import type { DataDirectoryLayout } from '../platform/data-directory.js';
import type { Sql } from '../platform/sql/sql.js';
import { ClickHouseConnection } from '../platform/warehouse/clickhouse-connection.js';
import { clickHouseTarget } from '../platform/warehouse/clickhouse-target.js';
import type { Warehouse } from '../platform/warehouse/warehouse.js';
import type { RunAccess } from '../transforms/run-access.js';
import type { AssertLeader } from '../transforms/run-store.js';
import { clickHouseBuilder } from '../transforms/runner/clickhouse-builder.js';
import { companyInputs } from '../transforms/runner/company-inputs.js';
import { createTransformer, type Transformer } from '../transforms/runner/transform.js';
import { codeRevision } from './code-revision.js';
import { dbtSetup } from './dbt-setup.js';
import type { RuntimeOptions } from './runtime.js';

interface Parts {
  readonly clickHouse: ClickHouseConfig;
  readonly directory: DataDirectoryLayout;
  readonly sql: Sql;
  readonly warehouse: Warehouse;
  readonly runs: Pick<RunAccess, 'pointerMoved'>;
  readonly catalogs: CatalogStore;
  readonly assertLeader?: AssertLeader;
}

/** Runs on a ClickHouse server. The data directory holds dbt's scratch, and the name that this process's builds go by. */
export function clickHouseTransformer(
  options: Pick<RuntimeOptions, 'config' | 'clock' | 'environment'>,
  { clickHouse, directory, sql, warehouse, runs, catalogs, assertLeader }: Parts,
): Transformer {
  const { config, clock } = options;
  const connection = new ClickHouseConnection(clickHouseTarget(clickHouse.url), clickHouse);
  const transformer = createTransformer({
    sql,
    warehouse,
    builder: clickHouseBuilder({
      connection,
      config: clickHouse,
      layout: directory,
      clock,
      dbt: dbtSetup(options, directory),
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
