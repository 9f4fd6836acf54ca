import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasClickHouse, startClickHouse, type ClickHouse } from '../support/clickhouse.js';
import { buildOnClickHouse, exportClickHouseMarts } from '../support/clickhouse-marts.js';
import { catalogFile, openCompany, type TestCompany } from '../support/company.js';
import { expectEqualMarts, exportMarts } from '../support/marts-export.js';
import { COMPANY_SEED, openMeasuredCompany } from '../support/measured-company.js';
import { HISTORIES_AS_OF, randomHistories } from './random-histories.js';

/*
 * The same events give the same cents on DuckDB and on ClickHouse: every mart, byte for byte. Companies of each catalog with every
 * fault on (late events, duplicates, conflicts, corrections, malformed lines), and random histories that no company would have.
 */
describe.runIf(hasClickHouse())('DuckDB and ClickHouse', () => {
  let clickHouse: ClickHouse;
  const scratch = mkdtempSync(join(tmpdir(), 'headgate-parity-'));
  beforeAll(async () => {
    clickHouse = await startClickHouse();
  });
  afterAll(async () => {
    await clickHouse.stop();
    rmSync(scratch, { recursive: true, force: true });
  });

  async function expectParity(company: TestCompany, name: string) {
    const run = await company.runtime.services.runs.withRun({}, (open) => Promise.resolve(open.run));
    const onDuckdb = await exportMarts(company, run);
    const { elapsedMs } = await buildOnClickHouse(clickHouse, company, run, scratch);
    console.log(`${name}: DuckDB ${run.timings?.['dbt_ms'] ?? 0} ms, ClickHouse ${elapsedMs} ms`);
    expectEqualMarts(await exportClickHouseMarts(clickHouse), onDuckdb);
    return onDuckdb;
  }

  test.each(['fleetprompt', 'frontier', 'chatbot', 'nexus'])(
    '%s: equal exports of all marts',
    { timeout: 300_000 },
    async (name) => {
      const { company } = await openMeasuredCompany(name);
      try {
        expect((await expectParity(company, name)).get('mrr_months')).toContain('close_minor');
      } finally {
        await company.remove();
      }
    },
  );

  test('random histories of 80 orgs: equal exports of all marts', { timeout: 300_000 }, async () => {
    console.log(`histories of seed ${COMPANY_SEED}`);
    const file = await catalogFile('fleetprompt');
    const lines = randomHistories(file.catalog, COMPANY_SEED, 80);
    const company = await openCompany();
    try {
      await company.runtime.services.publishCatalog(file, 'test');
      const report = await company.ingest(lines);
      expect(report).toMatchObject({ accepted: lines.length, quarantined: 0 });
      await company.transform(HISTORIES_AS_OF);
      const onDuckdb = await expectParity(company, 'random histories');
      const filled = [...onDuckdb].filter(([, text]) => text !== '').map(([name]) => name);
      expect(filled).toEqual([...onDuckdb.keys()]);
    } finally {
      await company.remove();
    }
  });
});
