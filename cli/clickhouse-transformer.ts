import type { ClickHouseConfig } from '../platform/config.js';
import { ClickHouseConnection } from '../platform/warehouse/clickhouse-connection.js';
import { clickHouseTarget } from '../platform/warehouse/clickhouse-target.js';
import type { Warehouse } from '../platform/warehouse/warehouse.js';
import { clickHouseBuilder } from '../transforms/runner/clickhouse-builder.js';
import type { Transformer } from '../transforms/runner/transform.js';
import { companyTransformer } from './company-transformer.js';
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
  const { clock, directory } = parts;
  const connection = new ClickHouseConnection(clickHouseTarget(clickHouse.url), clickHouse);
  const builder = clickHouseBuilder({
    connection,
    config: clickHouse,
    layout: directory,
    clock,
    dbt: dbtSetup(parts, directory),
  });
  const transformer = companyTransformer(parts, warehouse, builder);
  return {
    transform: (request) => transformer.transform(request),
    stop: async () => {
      await transformer.stop();
      await connection.close();
    },
  };
}
