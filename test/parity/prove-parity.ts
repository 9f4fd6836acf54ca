import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasClickHouse, startClickHouse, type ClickHouse } from '../support/clickhouse.js';
import { openClickHouseCompany, TopicFeed } from '../support/clickhouse-company.js';
import { catalogFile, openCompany, type TestCompany } from '../support/company.js';
import { expectEqualMarts, exportMarts, exportRun } from '../support/marts-export.js';
import { COMPANY_SEED, openMeasuredCompany } from '../support/measured-company.js';
import { HISTORIES_AS_OF, randomHistories } from './random-histories.js';

/**
 * The same events give the same cents on DuckDB and on ClickHouse: every mart, byte for byte. Companies of each catalog with every
 * fault on (late events, duplicates, conflicts, corrections, malformed lines), and random histories that no company would have. On
 * ClickHouse they come through topics of several partitions, some of their messages twice, and runs are built as the product does.
 */
export function proveParity(catalogNames: readonly string[]): void {
  describe.runIf(hasClickHouse())('DuckDB and ClickHouse', () => {
    let clickHouse: ClickHouse;
    let companies = 0;
    const directory = mkdtempSync(join(tmpdir(), 'headgate-parity-'));
    beforeAll(async () => {
      clickHouse = await startClickHouse();
    });
    afterAll(async () => {
      await clickHouse.stop();
      rmSync(directory, { recursive: true, force: true });
    });

    async function expectParity(company: TestCompany, name: string, asOf: string) {
      const { services } = company.runtime;
      const other = await openClickHouseCompany(clickHouse, {
        catalogs: services.catalogs,
        database: `parity_${(companies += 1)}`,
        directory,
      });
      try {
        await new TopicFeed(services.warehouse, other.warehouse).deliver();
        const run = await services.runs.withRun({}, (open) => Promise.resolve(open.run));
        const otherRun = await other.transform(asOf);
        console.log(
          `${name}: DuckDB ${run.timings?.['dbt_ms'] ?? 0} ms, ClickHouse ${otherRun.timings?.['dbt_ms'] ?? 0} ms`,
        );
        const onDuckdb = await exportMarts(company, run);
        expectEqualMarts(await exportRun(other.runs, otherRun), onDuckdb);
        expect(otherRun.eventCounts).toEqual(run.eventCounts);
        return onDuckdb;
      } finally {
        await other.stop();
      }
    }

    test.each(catalogNames)('%s: equal exports of all marts', { timeout: 600_000 }, async (name) => {
      const { company, endsAt } = await openMeasuredCompany(name);
      try {
        expect((await expectParity(company, name, endsAt)).get('mrr_months')).toContain('close_minor');
      } finally {
        await company.remove();
      }
    });

    test('random histories of 80 orgs: equal exports of all marts', { timeout: 600_000 }, async () => {
      console.log(`histories of seed ${COMPANY_SEED}`);
      const file = await catalogFile('fleetprompt');
      const lines = randomHistories(file.catalog, COMPANY_SEED, 80);
      const company = await openCompany();
      try {
        await company.runtime.services.publishCatalog(file, 'test');
        const report = await company.ingest(lines);
        expect(report).toMatchObject({ accepted: lines.length, quarantined: 0 });
        await company.transform(HISTORIES_AS_OF);
        const onDuckdb = await expectParity(company, 'random histories', HISTORIES_AS_OF);
        const filled = [...onDuckdb].filter(([, text]) => text !== '').map(([name]) => name);
        expect(filled).toEqual([...onDuckdb.keys()]);
      } finally {
        await company.remove();
      }
    });
  });
}
