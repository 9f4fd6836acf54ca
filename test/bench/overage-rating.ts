import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { z } from 'zod';
import { ratedLines } from '../../billing/preview-overage.js';
import { parseInstant } from '../../core/time.js';
import { readCatalogText } from '../../platform/catalog-file.js';
import type { RunReader } from '../../platform/warehouse/warehouse.js';
import { publishHandMadeRun } from '../hand-made-run.js';
import { openCompany } from '../support/company.js';
import { catalogDocument, plan } from '../support/rating.js';
import { seconds, timed, type Figure } from './figure.js';

const CUSTOMERS = 5_000;
const AS_OF = '2026-10-01T00:00:00Z';
const ENDING = { start: parseInstant('2026-09-01T00:00:00Z'), end: parseInstant(AS_OF) };
const TOLD = '2026-08-01 00:00:00';

const document = catalogDocument({
  plans: {
    pro: plan({
      allowances: { ops: { quantity: '1000' } },
      overage: { ops: { model: 'per_block', block: '1000', amount: '0.10', currency: 'USD' } },
    }),
  },
});

/** Rates a month of 5,000 customers from its events, beside the sum of the same quantities by customer and nothing more. */
export async function benchOverageRating(events: number): Promise<Figure> {
  const company = await openCompany();
  try {
    const { services, directory } = company.runtime;
    const reading = readCatalogText(JSON.stringify(document), 'bench');
    if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
    await services.publishCatalog(reading.file, 'bench');
    const runId = await publishHandMadeRun(company.runtime, { asOf: parseInstant(AS_OF), rows: {} });
    await writeFacts((stream) => directory.runFacts(runId, stream), events);
    const catalogs = await services.catalogs.published();
    return await services.runs.withRun({}, async ({ reader, run }) => {
      const floor = await timed(() => plainSums(reader));
      const rated = await timed(() => ratedLines(reader, { catalogs, ending: ENDING, asOf: run.asOf }));
      const counted = rated.result.reduce((sum, line) => sum + line.events, 0);
      if (rated.result.length !== CUSTOMERS || counted !== events) {
        throw new Error(`${rated.result.length} lines of ${counted} events`);
      }
      const ratio = rated.ms / floor.ms;
      return {
        name: `rating ${events.toLocaleString('en-US')} events of ${CUSTOMERS.toLocaleString('en-US')} customers`,
        measured: seconds(rated.ms),
        floor: `${seconds(floor.ms)} group by`,
        ratio: `${ratio.toFixed(2)}×`,
        target: '≤ 3×',
        isMet: ratio <= 3,
      };
    });
  } finally {
    await company.remove();
  }
}

const Sums = z.object({ org_id: z.string(), used: z.string(), events: z.bigint() });

async function plainSums(reader: RunReader): Promise<void> {
  await reader.query(
    `select org_id, cast(sum(cast(json_extract_string(usage, '$.ops') as decimal(38, 12))) as varchar) as used, count(*) as events
     from ${reader.facts('executions')} group by org_id`,
    {},
    Sums,
  );
}

/** As runs write them, day by day; the engine makes the rows, which would take longer one by one than all that is measured. */
async function writeFacts(
  folderOf: (stream: 'executions' | 'billing') => string,
  events: number,
): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const write = async (stream: 'executions' | 'billing', rows: string): Promise<void> => {
    rmSync(folderOf(stream), { recursive: true, force: true });
    mkdirSync(folderOf(stream), { recursive: true });
    await connection.run(
      `copy (${rows}) to '${join(folderOf(stream), 'month=2026-09.parquet')}' (format parquet)`,
    );
  };
  const items = [
    {
      itemId: 'si',
      kind: 'plan',
      productId: 'pro',
      quantity: 1,
      unitAmountMinor: 4900,
      interval: 'month',
      intervalCount: 1,
    },
  ];
  const state = `'{"subscriptionId":"sub_' || n || '","currency":"USD","items":${JSON.stringify(items)}}'`;
  await write(
    'billing',
    `select date '2026-08-01' as day, 'org_' || n as subject, '/bench' as source, 'sub ' || n as event_id,
       'subscription.started' as type, timestamp '${TOLD}' as "at", timestamp '${TOLD}' as recorded_at, ${state} as data
     from range(${CUSTOMERS}) as orgs(n)`,
  );
  await write(
    'executions',
    `select cast(happened as date) as day, 'org_' || (n % ${CUSTOMERS}) as org_id, '/bench' as source, 'e' || n as event_id,
       'execution.completed' as type, happened as "at", happened as recorded_at, 'x' || n as execution_id, 1::bigint as attempt,
       'digest' as package_id, 'i' as install_id, 'w' as workflow, 'u' as user_id, 5::bigint as duration_ms,
       1::bigint as cost_micros, 'USD' as currency, false as human_intervention, 0::decimal(38, 12) as saved_minutes,
       false as byo_key, null::varchar as meter, null::decimal(38, 12) as quantity, null::varchar as unique_key,
       '{"ops":"' || (1 + n % 7) || '"}' as usage
     from (select n, timestamp '2026-09-01' + to_microseconds(cast(n * (30 * 86400000000 / ${events}) as bigint)) as happened
           from range(${events}) as all_of(n)) as told
     order by day, org_id`,
  );
  connection.closeSync();
  instance.closeSync();
}
