import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { SecretText } from '../../platform/secrets.js';
import { LakeFiles } from '../../platform/lake-files.js';
import { openClickHouseWarehouse } from '../../platform/warehouse/clickhouse-warehouse.js';
import { DuckdbWarehouse } from '../../platform/warehouse/duckdb-warehouse.js';
import type { Warehouse } from '../../platform/warehouse/warehouse.js';
import { hasClickHouse, startClickHouse, type ClickHouse } from './clickhouse.js';

/** An empty warehouse, gone when it is closed. */
export interface TestWarehouse<Kind extends Warehouse = Warehouse> {
  readonly warehouse: Kind;
  close(): Promise<void>;
}

export type OpenWarehouse = () => Promise<TestWarehouse>;

/** Defines the same tests for both engines. ClickHouse is the real engine behind test/services/clickhouse-shim.ts. */
export function onEachWarehouse(what: string, define: (open: OpenWarehouse) => void): void {
  describe(`${what} on DuckDB`, () => {
    define(openTestDuckdb);
  });
  describe.runIf(hasClickHouse())(`${what} on ClickHouse, against the shim`, () => {
    let clickHouse: ClickHouse | null = null;
    beforeAll(async () => {
      clickHouse = await startClickHouse();
    });
    afterAll(async () => {
      await clickHouse?.stop();
    });
    define(() => {
      if (clickHouse === null) throw new Error('open the warehouse in a hook or a test');
      return openTestClickHouse(clickHouse);
    });
  });
}

export async function openTestDuckdb(): Promise<TestWarehouse<DuckdbWarehouse>> {
  const root = mkdtempSync(join(tmpdir(), 'headgate-warehouse-'));
  const warehouse = await DuckdbWarehouse.open(
    {
      file: join(root, 'warehouse.duckdb'),
      temporaryDirectory: root,
      memoryMib: 256,
      threads: 2,
      readConnections: 2,
      checkpointMib: 16,
    },
    new LakeFiles(join(root, 'lake')),
  );
  return {
    warehouse,
    close: async () => {
      await warehouse.close();
      rmSync(root, { recursive: true });
    },
  };
}

let databases = 0;

export async function openTestClickHouse(clickHouse: ClickHouse): Promise<TestWarehouse> {
  const url = new SecretText(clickHouse.url(`test_${++databases}`));
  const warehouse = await openClickHouseWarehouse({ url, caFile: null, timeoutMs: 60_000 });
  return { warehouse, close: () => warehouse.close() };
}
