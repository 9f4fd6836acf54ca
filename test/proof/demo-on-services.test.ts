import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startClickHouse, type ClickHouse } from '../support/clickhouse.js';
import { headgate } from '../support/command-line.js';
import { startKafka, type KafkaBroker } from '../support/kafka.js';
import { startPostgres, type Postgres } from '../support/postgres.js';
import { hasAllServices } from '../support/served-company.js';

/* An operator sets any of the three URLs, or all, and reads the same page: byte for byte. */
describe.runIf(hasAllServices())('the demo', { timeout: 1_800_000 }, () => {
  const root = mkdtempSync(join(tmpdir(), 'headgate-demo-'));
  let embedded: string;
  let postgres: Postgres;
  let clickHouse: ClickHouse;
  let kafka: KafkaBroker;
  beforeAll(async () => {
    [postgres, clickHouse, kafka] = await Promise.all([startPostgres(), startClickHouse(), startKafka()]);
    embedded = await pageOf('embedded');
  }, 480_000);
  afterAll(async () => {
    await Promise.all([postgres.stop(), clickHouse.stop(), kafka.stop()]);
    rmSync(root, { recursive: true, force: true });
  });

  /**
   * The page but for what is this run's own: its id, and the key that is shown once. Under one relative path each time, since what to
   * type next names the data directory.
   */
  async function pageOf(name: string, environment: Readonly<Record<string, string>> = {}): Promise<string> {
    const cwd = mkdtempSync(join(root, `${name}-`));
    const startedMs = performance.now();
    const { code, stdout, stderr } = await headgate(['demo', '--no-pages'], { cwd, environment });
    expect(stderr.split('\n').filter((line) => line.startsWith('error'))).toEqual([]);
    expect(code).toBe(0);
    console.log(`${name}: ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
    return stdout.replaceAll(/run_[0-9a-z]+/g, 'run_').replaceAll(/hg_[\w-]+/g, 'hg_');
  }
  test('with DATABASE_URL alone', async () => {
    const settings = { DATABASE_URL: await postgres.createDatabase() };
    expect(await pageOf('postgres', settings)).toBe(embedded);
  });

  test('with CLICKHOUSE_URL alone', async () => {
    expect(await pageOf('clickhouse', { CLICKHOUSE_URL: clickHouse.url('alone') })).toBe(embedded);
  });

  test('with KAFKA_BROKERS alone', async () => {
    const settings = { KAFKA_BROKERS: kafka.brokers, HEADGATE_KAFKA_TOPIC_PREFIX: 'alone' };
    expect(await pageOf('kafka', settings)).toBe(embedded);
  });

  test('with all three', async () => {
    const settings = {
      DATABASE_URL: await postgres.createDatabase(),
      CLICKHOUSE_URL: clickHouse.url('together'),
      KAFKA_BROKERS: kafka.brokers,
      HEADGATE_KAFKA_TOPIC_PREFIX: 'together',
    };
    expect(await pageOf('all-three', settings)).toBe(embedded);
  });
});
