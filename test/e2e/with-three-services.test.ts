import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Run } from '../../transforms/run-store.js';
import { apiOf } from '../support/api.js';
import { startClickHouse, type ClickHouse } from '../support/clickhouse.js';
import { catalogFile, openCompany, type TestCompany } from '../support/company.js';
import { startKafka, type KafkaBroker } from '../support/kafka.js';
import { expectEqualMarts, exportMarts } from '../support/marts-export.js';
import { openMeasuredCompany, type MeasuredCompany } from '../support/measured-company.js';
import { startPostgres, type Postgres } from '../support/postgres.js';
import { hasAllServices } from '../support/served-company.js';

const CATALOG = 'fleetprompt';
const Drill = z.looseObject({
  sides: z.record(z.string(), z.object({ sum: z.string() })),
  rows: z.array(z.looseObject({ amount: z.string() })),
});

/* The same company as in one process, on KAFKA_BROKERS, CLICKHOUSE_URL and DATABASE_URL: same commands, same API, same cents. */
describe.runIf(hasAllServices())('with all three services', () => {
  let postgres: Postgres;
  let clickHouse: ClickHouse;
  let kafka: KafkaBroker;
  let embedded: MeasuredCompany;
  let served: TestCompany;
  let settings: Record<string, string>;
  let run: Run;

  beforeAll(async () => {
    [postgres, clickHouse, kafka] = await Promise.all([startPostgres(), startClickHouse(), startKafka()]);
    settings = {
      DATABASE_URL: await postgres.createDatabase(),
      CLICKHOUSE_URL: `http://127.0.0.1:${clickHouse.port}/headgate`,
      KAFKA_BROKERS: kafka.brokers,
      HEADGATE_KAFKA_PARTITIONS: '3',
    };
    embedded = await openMeasuredCompany(CATALOG);
    served = await openCompany(undefined, settings);
    await served.runtime.services.publishCatalog(await catalogFile(CATALOG), 'test');
  }, 300_000);
  afterAll(async () => {
    await served.remove();
    await embedded.company.remove();
    await Promise.all([postgres.stop(), clickHouse.stop(), kafka.stop()]);
  });

  test('the same file gives the same marts, byte for byte', { timeout: 300_000 }, async () => {
    const report = await served.ingest(embedded.lines);
    expect(report.quarantined).toBe(embedded.truth.counts.malformed);
    run = await served.transform(embedded.endsAt);
    const { runs } = embedded.company.runtime.services;
    const current = await runs.withRun({}, (open) => Promise.resolve(open.run));
    expectEqualMarts(await exportMarts(served, run), await exportMarts(embedded.company, current));
    expect(run.eventCounts).toEqual(current.eventCounts);
  });

  test('the same file again appends nothing', async () => {
    const before = await served.runtime.topics?.lags();
    expect(await served.ingest(embedded.lines)).toMatchObject({ accepted: 0, isKnown: true });
    expect(await served.runtime.topics?.lags()).toEqual(before);
  });

  test('a drill re-adds to the number, and people’s SQL reads the same marts', async () => {
    const api = apiOf(served);
    const own = apiOf(embedded.company);
    const months = z.object({
      values: z.array(z.looseObject({ period: z.string(), value: z.string().nullable() })),
    });
    const asked = '/v1/metrics/mrr?currency=USD';
    const { values } = await api.get(asked, months);
    expect(values).toEqual((await own.get(asked, months)).values);
    const last = values.at(-1);
    const drill = await api.get(`/v1/metrics/mrr/drill?month=${last?.period ?? ''}&currency=USD`, Drill);
    expect(drill.sides['value']?.sum).toBe(last?.value);
    const sql = { sql: 'select count(*) as n from mrr_months' };
    // Types are called as the engine calls them; the rows are the same.
    const Rows = z.looseObject({ rows: z.array(z.unknown()).nonempty() });
    expect((await api.post('/v1/sql', sql, Rows)).rows).toEqual((await own.post('/v1/sql', sql, Rows)).rows);
  });

  test('opened again, everything is there; with another warehouse or without it, it is refused', async () => {
    await served.close();
    const elsewhere = { ...settings, CLICKHOUSE_URL: `http://127.0.0.1:${clickHouse.port}/another` };
    await expect(openCompany(served.directory, elsewhere)).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining('CLICKHOUSE_URL') as string,
    });
    await expect(openCompany(served.directory, { ...settings, CLICKHOUSE_URL: '' })).rejects.toMatchObject({
      code: 'invalid_config',
    });
    served = await openCompany(served.directory, settings);
    expect(await served.runtime.services.runs.choose({})).toMatchObject({ runId: run.runId });
  });
});
