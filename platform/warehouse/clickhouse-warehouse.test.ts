import { afterAll, beforeAll, describe } from 'vitest';
import { hasClickHouse, startClickHouse, type ClickHouse } from '../../test/support/clickhouse.js';
import type { ClickHouseConfig } from '../config.js';
import { SecretText } from '../secrets.js';
import { openClickHouseWarehouse } from './clickhouse-warehouse.js';
import { warehouseContract } from './warehouse.contract.js';

/* Against the real engine behind our own HTTP server (test/services/clickhouse-shim.ts): what ClickHouse's server does besides, it does. */
describe.runIf(hasClickHouse())('on ClickHouse', () => {
  let clickHouse: ClickHouse;
  let databases = 0;
  beforeAll(async () => {
    clickHouse = await startClickHouse();
  });
  afterAll(() => clickHouse.stop());

  const configOf = (database: string): ClickHouseConfig => ({
    url: new SecretText(`http://127.0.0.1:${clickHouse.port}/${database}`),
    caFile: null,
    timeoutMs: 60_000,
  });

  warehouseContract('ClickHouse', () => {
    const database = `contract_${++databases}`;
    return Promise.resolve({
      open: () => openClickHouseWarehouse(configOf(database)),
      dispose: async () => {
        await clickHouse.client.command({ query: `DROP DATABASE ${database}` });
      },
    });
  });
});
