import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createApp } from '../../api/app.js';
import { apiJson } from '../../api/json-answer.js';
import type { Services } from '../../api/services.js';
import { readDemoPage } from '../../cli/demo/page-data.js';
import type { Catalog } from '../../core/catalog.js';
import { parseInstant } from '../../core/time.js';
import { STREAMS } from '../../core/raw-event.js';
import { Random } from '../../fixtures/generator/random.js';
import { readCatalogText, type CatalogFile } from '../../platform/catalog-file.js';
import { packagePath } from '../../platform/package-path.js';
import type { RunAccess } from '../../transforms/run-access.js';
import type { Run } from '../../transforms/run-store.js';
import { hasClickHouse, startClickHouse, type ClickHouse } from '../support/clickhouse.js';
import { openClickHouseCompany, TopicFeed, type ClickHouseCompany } from '../support/clickhouse-company.js';
import { catalogFile, openCompany, simulate, SMALL, type TestCompany } from '../support/company.js';
import { noonAt, shuffledBy, timeOf } from '../support/event-order.js';
import { expectEqualMarts, exportMarts, exportRun, exportText } from '../support/marts-export.js';
import { randomHistories } from '../parity/random-histories.js';
import { readerQuestions } from '../parity/reader-questions.js';
import { testSeed } from '../support/test-seed.js';

/** HEADGATE_TEST_SEED=7 shuffles otherwise and asks other questions. */
const SEED = testSeed(23);

/*
 * One company, shuffled, some of it sent twice, with random histories beside it. On ClickHouse it comes in three batches with a run
 * after each, the first two of them measured in the midst of what has arrived; on DuckDB there is one run, of everything.
 */
describe.runIf(hasClickHouse())('a company on ClickHouse', () => {
  let clickHouse: ClickHouse;
  let company: TestCompany;
  let other: ClickHouseCompany;
  let catalog: Catalog;
  let onDuckdb: Run;
  const runs: Run[] = [];

  beforeAll(async () => {
    clickHouse = await startClickHouse();
    company = await openCompany();
    const { services } = company.runtime;
    const file = await catalogFile('fleetprompt');
    ({ catalog } = file);
    await services.publishCatalog(file, 'test');
    other = await openClickHouseCompany(clickHouse, { catalogs: services.catalogs, database: 'three_runs' });
    const feed = new TopicFeed(services.warehouse, other.warehouse);
    for (const { lines, asOf } of batchesOf(catalog)) {
      await company.ingest(lines);
      await feed.deliver();
      runs.push(await other.transform(asOf));
    }
    onDuckdb = await company.transform(lastAsOf(catalog));
  }, 600_000);
  afterAll(async () => {
    await other.stop();
    await company.remove();
    await clickHouse.stop();
  });

  test('run after run over what is new: the marts of one run over everything on DuckDB', async () => {
    expect(runs.map(({ isIncremental }) => isIncremental)).toEqual([false, true, true]);
    const [, , last] = runs;
    if (last === undefined) throw new Error('there are three runs');
    expectEqualMarts(await exportRun(other.runs, last), await exportMarts(company, onDuckdb));
    expect(last.eventCounts).toEqual(onDuckdb.eventCounts);
  });

  test('and the facts and marts of one run over everything on ClickHouse', { timeout: 300_000 }, async () => {
    const [, , incremental] = runs;
    if (incremental === undefined) throw new Error('there are three runs');
    const full = await other.transform(lastAsOf(catalog), { fullRefresh: true });
    expect(full.isIncremental).toBe(false);
    expectEqualMarts(await exportRun(other.runs, full), await exportRun(other.runs, incremental));
    expectEqualMarts(await exportFacts(other.runs, full), await exportFacts(other.runs, incremental));
  });

  test('every question that the API reads a run for has one answer', { timeout: 300_000 }, async () => {
    const { services } = company.runtime;
    await services.publishCatalog(await dearerCatalog(), 'test');
    const questions = await services.runs.withRun({}, ({ reader }) =>
      readerQuestions(reader, lastAsOf(catalog).slice(0, 8) + '01', SEED),
    );
    expect(questions.length).toBeGreaterThan(300);
    const differing: string[] = [];
    for (const question of questions) {
      const [ours, theirs] = [
        await answerOf(services, question),
        await answerOf({ ...services, runs: other.runs }, question),
      ];
      if (ours !== theirs)
        differing.push(`${question}\n  ${ours.slice(0, 2_000)}\n  ${theirs.slice(0, 2_000)}`);
    }
    expect(differing).toEqual([]);
  });

  test("the demo's page shows the same figures", async () => {
    const page = (from: RunAccess) =>
      from.withRun({}, async ({ reader }) => apiJson(await readDemoPage(catalog, onDuckdb, reader)));
    expect(await page(other.runs)).toBe(await page(company.runtime.services.runs));
  });
});

/** A second version, after all that happened: what it would do to whom is one of the questions. */
async function dearerCatalog(): Promise<CatalogFile> {
  const text = await readFile(packagePath('fixtures', 'catalogs', 'fleetprompt.yaml'), 'utf8');
  const reading = readCatalogText(text.replaceAll("amount: '49.00'", "amount: '59.00'"), 'dearer.yaml');
  if (!reading.ok) throw new Error(`the dearer catalog does not read: ${JSON.stringify(reading.problems)}`);
  return reading.file;
}

function companyOf(catalog: Catalog) {
  const simulated = simulate(catalog, { ...SMALL, seed: SEED });
  return { lines: [...randomHistories(catalog, SEED, 30), ...simulated.lines], endsAt: simulated.endsAt };
}

const lastAsOf = (catalog: Catalog): string => companyOf(catalog).endsAt;

function batchesOf(catalog: Catalog): { lines: string[]; asOf: string }[] {
  const { lines, endsAt } = companyOf(catalog);
  const random = new Random(SEED);
  const repeated = lines.flatMap((line) => Array.from({ length: random.pick([1, 1, 1, 2]) }, () => line));
  const shuffled = shuffledBy(random, repeated);
  const third = Math.ceil(shuffled.length / 3);
  const asOfs = [noonAt(lines, 0.5), noonAt(lines, 0.75), endsAt];
  return asOfs.map((asOf, index) => {
    const known = shuffled.slice(0, (index + 1) * third);
    const counted = known.filter((line) => (timeOf(line) ?? 0n) < parseInstant(asOf)).length;
    if (index < 2) expect([counted > 100, known.length - counted > 100]).toEqual([true, true]);
    // Without its exchange rates no run is published, so they come first.
    const rates = index === 0 ? lines.filter((line) => line.includes('"fx.rate_published"')) : [];
    return { lines: [...rates, ...shuffled.slice(index * third, (index + 1) * third)], asOf };
  });
}

/** An answer without what differs between any two runs: their ids, the cursors that hold them, and each log's own positions. */
async function answerOf(services: Services, path: string): Promise<string> {
  const { runId } = await services.runs.choose({});
  const response = await createApp(services).request(path, {
    headers: { authorization: `Bearer ${services.localToken}` },
  });
  const text = (await response.text())
    .replaceAll(runId, 'RUN')
    .replace(/"next_cursor":"[^"]+"/, '"next_cursor":"…"')
    .replace(/"watermark":\{[^}]*\}/, '"watermark":"…"');
  return `${response.status} ${text}`;
}

const AnyRow = z.record(z.string(), z.unknown());
/** Where a fact's copy stood in the log: any of those that say the same may stand for it. */
const PLACE = new Set(['log_partition', 'log_offset', 'recorded_at']);

async function exportFacts(runs: RunAccess, { runId }: Run): Promise<Map<string, string>> {
  return runs.withRun({ runId }, async ({ reader }) => {
    const texts = new Map<string, string>();
    for (const stream of STREAMS) {
      const rows = await reader.query(`select * from ${reader.facts(stream)}`, {}, AnyRow);
      const placeless = rows.map((row) =>
        Object.fromEntries(Object.entries(row).filter(([column]) => !PLACE.has(column))),
      );
      texts.set(stream, exportText(placeless));
    }
    return texts;
  });
}
