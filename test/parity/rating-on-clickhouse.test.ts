import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { dateInUtc, formatDate, formatInstant } from '../../core/time.js';
import {
  openClickHouseWarehouse,
  type ClickHouseWarehouse,
} from '../../platform/warehouse/clickhouse-warehouse.js';
import type { RunReader } from '../../platform/warehouse/warehouse.js';
import { METERED_AS_OF, meteredHistories } from '../integration/metered-companies.js';
import { expectAsDrawn, expectByHand, METERED_LINES, type InRun } from '../integration/prove-aggregations.js';
import { standingEvents, type StandingEvent } from '../oracles/standing-events.js';
import { clickHouseConfig } from '../support/clickhouse-company.js';
import { hasClickHouse, startClickHouse, type ClickHouse } from '../support/clickhouse.js';
import { testSeed } from '../support/test-seed.js';

/*
 * What test/integration/aggregations.test.ts holds DuckDB to, held to ClickHouse: the same lines by hand, the same second rater, digests and
 * events. Facts are put there as a run would leave them, since a run takes minutes; that runs leave the same facts on both engines is what the marts'
 * parity says.
 */
const SEED = testSeed();
const ORGS = 40;
const DATABASE = 'metered';

const EVENT = `source String, event_id String, type String, "at" DateTime64(6, 'UTC'), day Date`;
const text = (...names: string[]) => names.map((name) => `${name} Nullable(String)`).join(', ');
const TABLES: Readonly<Record<string, string>> = {
  fct_executions: `org_id String, ${EVENT}, ${text('execution_id', 'package_id', 'install_id', 'workflow', 'user_id')},
    ${text('meter', 'unique_key', 'usage')}, byo_key Nullable(UInt8), quantity Nullable(Decimal(38, 12))`,
  fct_installs: `subject String, ${EVENT}, data String`,
  fct_billing: `subject String, ${EVENT}, data String`,
  int_orgs: 'org_id String, is_excluded Bool',
};

const Execution = z.looseObject({
  ...{ executionId: z.string().nullish(), packageId: z.string().nullish(), installId: z.string().nullish() },
  ...{ workflow: z.string().nullish(), userId: z.string().nullish(), byoKey: z.boolean().nullish() },
  ...{
    meter: z.string().nullish(),
    unique: z.string().nullish(),
    usage: z.record(z.string(), z.union([z.string(), z.number()])).nullish(),
  },
  quantity: z.union([z.string(), z.number()]).transform(String).nullish(),
});

function factOf({ source, id, type, subject, at, data }: StandingEvent): [string, object] {
  const event = {
    ...{ source, event_id: id, type, day: formatDate(dateInUtc(at)) },
    at: formatInstant(at).replace('T', ' ').replace('Z', ''),
  };
  const stream = /^(execution|usage)/.test(type)
    ? 'executions'
    : type.startsWith('subscription')
      ? 'billing'
      : 'installs';
  if (stream !== 'executions') return [`fct_${stream}`, { ...event, subject, data: JSON.stringify(data) }];
  const told = Execution.parse(data);
  return [
    'fct_executions',
    {
      ...{ ...event, org_id: subject, execution_id: told.executionId, package_id: told.packageId },
      ...{ install_id: told.installId, workflow: told.workflow, user_id: told.userId },
      ...{ byo_key: told.byoKey == null ? null : Number(told.byoKey), meter: told.meter },
      ...{ quantity: told.quantity, unique_key: told.unique },
      usage: told.usage == null ? null : JSON.stringify(told.usage),
    },
  ];
}

describe.runIf(hasClickHouse())('rating on ClickHouse', { timeout: 240_000 }, () => {
  let clickHouse: ClickHouse;
  let warehouse: ClickHouseWarehouse;
  const lines = [...METERED_LINES, ...meteredHistories(SEED, ORGS)];

  beforeAll(async () => {
    console.log(`histories of seed ${SEED}`);
    clickHouse = await startClickHouse();
    const { client } = clickHouse;
    warehouse = await openClickHouseWarehouse(clickHouseConfig(clickHouse, DATABASE));
    const facts = standingEvents(lines, METERED_AS_OF).map(factOf);
    for (const [table, columns] of Object.entries(TABLES)) {
      await client.command({
        query: `create table ${DATABASE}.${table} (${columns}) engine = MergeTree order by tuple()`,
      });
      const values = facts.filter(([name]) => name === table).map(([, row]) => row);
      if (values.length > 0) {
        await client.insert({ table: `${DATABASE}.${table}`, values, format: 'JSONEachRow' });
      }
    }
  });
  afterAll(async () => {
    await warehouse.close();
    await clickHouse.stop();
  });

  const inRun: InRun = (work) => work(reader());
  function reader(): RunReader {
    return {
      ...{ dialect: 'clickhouse', runId: 'run_1', relation: DATABASE },
      facts: (stream) => `${DATABASE}.fct_${stream}`,
      raw: (stream) => `${DATABASE}.raw_${stream}`,
      query: (sql, parameters, schema) => warehouse.query(sql, parameters, schema),
      stream: (sql, parameters, schema) => warehouse.stream(sql, parameters, schema),
      release: () => Promise.resolve(),
    };
  }

  test('as worked out by hand, with the events behind each line', () => expectByHand(inRun));

  test('of drawn histories, each line is what a second rater says that looks at every event', async () => {
    expect((await expectAsDrawn(inRun, lines)).length).toBeGreaterThan(100);
  });
});
