import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasClickHouse, startClickHouse, type ClickHouse } from '../support/clickhouse.js';
import { buildOnClickHouse, exportClickHouseMarts } from '../support/clickhouse-marts.js';
import { catalogFile, openCompany, simulate, SMALL } from '../support/company.js';
import { expectEqualMarts, exportMarts } from '../support/marts-export.js';
import { HISTORIES_AS_OF, randomHistories } from './random-histories.js';

/** HEADGATE_TEST_SEED=7 tries other histories. */
const SEED = Number(process.env['HEADGATE_TEST_SEED'] ?? '23');

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

  async function expectParity(catalogName: string, lines: readonly string[], asOf: string) {
    const company = await openCompany();
    try {
      await company.runtime.services.publishCatalog(await catalogFile(catalogName), 'test');
      const report = await company.ingest(lines);
      const run = await company.transform(asOf);
      const onDuckdb = await exportMarts(company, run);
      const { elapsedMs } = await buildOnClickHouse(clickHouse, company, run, scratch);
      console.log(`${catalogName}: DuckDB ${run.timings?.['dbt_ms'] ?? 0} ms, ClickHouse ${elapsedMs} ms`);
      expectEqualMarts(await exportClickHouseMarts(clickHouse), onDuckdb);
      return { report, onDuckdb };
    } finally {
      await company.remove();
    }
  }

  test.each(['fleetprompt', 'frontier', 'chatbot', 'nexus'])(
    '%s: equal exports of all marts',
    { timeout: 300_000 },
    async (name) => {
      const { catalog } = await catalogFile(name);
      const { lines, endsAt } = simulate(catalog, { ...SMALL, seed: SEED });
      const { onDuckdb } = await expectParity(name, lines, endsAt);
      expect(onDuckdb.get('mrr_months')).toContain('close_minor');
    },
  );

  test('random histories of 80 orgs: equal exports of all marts', { timeout: 300_000 }, async () => {
    console.log(`histories of seed ${SEED}`);
    const { catalog } = await catalogFile('fleetprompt');
    const lines = randomHistories(catalog, SEED, 80);
    const { report, onDuckdb } = await expectParity('fleetprompt', lines, HISTORIES_AS_OF);
    expect(report).toMatchObject({ accepted: lines.length, quarantined: 0 });
    const filled = [...onDuckdb].filter(([, text]) => text !== '').map(([name]) => name);
    expect(filled).toEqual([...onDuckdb.keys()]);
  });
});
