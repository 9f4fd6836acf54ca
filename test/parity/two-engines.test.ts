import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasClickHouse, startClickHouse, type ClickHouse } from '../support/clickhouse.js';
import { buildOnClickHouse, exportClickHouseMarts } from '../support/clickhouse-marts.js';
import { catalogFile, openCompany, simulate, SMALL } from '../support/company.js';
import { expectEqualMarts, exportMarts } from '../support/marts-export.js';

/*
 * The same events give the same cents on DuckDB and on ClickHouse: every mart, byte for byte, with every fault on (late events,
 * duplicates, conflicts, corrections, malformed lines).
 */
describe.runIf(hasClickHouse())('DuckDB and ClickHouse', () => {
  let clickHouse: ClickHouse;
  beforeAll(async () => {
    clickHouse = await startClickHouse();
  });
  afterAll(() => clickHouse.stop());

  test.each(['fleetprompt', 'frontier', 'chatbot', 'nexus'])(
    '%s: equal exports of all marts',
    { timeout: 300_000 },
    async (name) => {
      const file = await catalogFile(name);
      const { lines, endsAt } = simulate(file.catalog, { ...SMALL, seed: 23 });
      const company = await openCompany();
      try {
        await company.runtime.services.publishCatalog(file, 'test');
        await company.ingest(lines);
        const run = await company.transform(endsAt);
        const onDuckdb = await exportMarts(company, run);
        const { database, outcome } = await buildOnClickHouse(clickHouse, company, run);
        console.log(`${name}: DuckDB ${run.timings?.['dbt_ms'] ?? 0} ms, ClickHouse ${outcome.elapsedMs} ms`);
        expectEqualMarts(await exportClickHouseMarts(clickHouse, database), onDuckdb);
        expect(onDuckdb.get('mrr_months')).toContain('close_minor');
      } finally {
        await company.remove();
      }
    },
  );
});
