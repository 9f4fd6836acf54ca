import { createReadStream } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { STREAMS, type Stream } from '../../core/raw-event.js';
import { formatInstant, parseInstant } from '../../core/time.js';
import { standingArrivals } from '../../ingest/conflicts.js';
import { RAW_COLUMN_LIST, rawTable } from '../../platform/warehouse/raw-tables.js';
import { companyInputs } from '../../transforms/runner/company-inputs.js';
import { runDbt, type DbtOutcome } from '../../transforms/runner/dbt.js';
import { ensurePythonEnvironment } from '../../transforms/runner/python-environment.js';
import type { InputColumnType, InputTable } from '../../transforms/runner/run-inputs.js';
import { watermarkJson, type Run } from '../../transforms/run-store.js';
import { EXACT_JSON, type ClickHouse } from './clickhouse.js';
import type { TestCompany } from './company.js';
import { exportText, MARTS } from './marts-export.js';

/** One company at a time: dbt's parsed project stays good for the next one as long as no name in its profile changes. */
const DATABASES = { raw: 'raw', catalog: 'catalog', facts: 'facts', marts: 'marts_of_test' } as const;

/** The database of the facts that the last build left. */
export const CLICKHOUSE_FACTS = DATABASES.facts;

const RAW_TABLE = `(
  log_partition Int32, log_offset Int64, recorded_at DateTime64(6, 'UTC'), source String, id String, identity String, type String,
  subject String, time DateTime64(6, 'UTC'), data String, extra Nullable(String), raw_hash String
) engine = MergeTree order by (subject, time)`;

const INPUT_TYPES: Readonly<Record<InputColumnType, string>> = {
  text: 'Nullable(String)',
  bigint: 'Nullable(Int64)',
  integer: 'Nullable(Int32)',
  boolean: 'Nullable(Bool)',
  date: 'Nullable(Date)',
  timestamp: "Nullable(DateTime64(6, 'UTC'))",
};

/**
 * Builds the marts of a run a second time, on ClickHouse: from the same raw rows, the same catalog, as of the same instant, by the
 * same dbt project. What an earlier company left is dropped.
 *
 * @param scratch outlives builds, so that dbt need not parse the project again
 */
export async function buildOnClickHouse(
  clickHouse: ClickHouse,
  company: TestCompany,
  run: Run,
  scratch: string,
): Promise<DbtOutcome> {
  for (const database of Object.values(DATABASES)) {
    await clickHouse.client.command({ query: `drop database if exists ${database} sync` });
    await clickHouse.client.command({ query: `create database ${database}` });
  }
  for (const stream of STREAMS) await copyRawRows(clickHouse, company, stream, scratch);
  const { catalogs, sql } = company.runtime.services;
  const inputs = await companyInputs(catalogs, await standingArrivals(sql));
  for (const [name, table] of Object.entries(inputs.tables)) {
    await copyInput(clickHouse, `${DATABASES.catalog}.${name}`, table);
  }
  return build(clickHouse, run, scratch);
}

/** Through Parquet, so that no value passes through JavaScript. */
async function copyRawRows(
  { client }: ClickHouse,
  company: TestCompany,
  stream: Stream,
  scratch: string,
): Promise<void> {
  const file = join(scratch, `${stream}.parquet`);
  const select = `select ${RAW_COLUMN_LIST} from ${rawTable(stream)}`;
  await company.runtime.services.warehouse.bulk((session) =>
    session.run(`copy (${select}) to '${file}' (format parquet)`),
  );
  const table = `${DATABASES.raw}.${stream}`;
  await client.command({ query: `create table ${table} ${RAW_TABLE}` });
  await client.insert({ table, values: createReadStream(file), format: 'Parquet' });
}

async function copyInput({ client }: ClickHouse, name: string, table: InputTable): Promise<void> {
  const columns = Object.entries(table.columns).map(([column, type]) => `\`${column}\` ${INPUT_TYPES[type]}`);
  await client.command({
    query: `create table ${name} (${columns.join(', ')}) engine = MergeTree order by tuple()`,
  });
  if (table.rows.length === 0) return;
  const values = table.rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([column, cell]) => [
        column,
        typeof cell === 'bigint' ? cell.toString() : cell,
      ]),
    ),
  );
  await client.insert({ table: name, values, format: 'JSONEachRow' });
}

const sqlInstant = (instant: bigint): string => formatInstant(instant).slice(0, 19).replace('T', ' ');

async function build(clickHouse: ClickHouse, run: Run, scratch: string): Promise<DbtOutcome> {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const { dbt } = await ensurePythonEnvironment({ cacheDirectory: join(cache, 'headgate') });
  const { PATH, HOME, LANG } = process.env;
  return runDbt({
    dbt,
    target: 'clickhouse',
    scratchDirectory: scratch,
    environment: {
      HEADGATE_CLICKHOUSE_PORT: String(clickHouse.port),
      HEADGATE_MARTS_DATABASE: DATABASES.marts,
    },
    variables: {
      as_of: sqlInstant(run.asOf),
      run_id: run.runId,
      run_started: sqlInstant(run.startedAt),
      code_revision: run.codeRevision,
      catalog_version: Number(run.catalogVersion ?? 0n),
      watermark: watermarkJson(run.watermark),
      incremental: false,
    },
    inherited: { PATH, HOME, LANG },
  });
}

const Column = z.object({ name: z.string(), type: z.string() });
const Exported = z.record(z.string(), z.unknown());

/** All marts of a build on ClickHouse, as `exportMarts` gives DuckDB's. */
export async function exportClickHouseMarts({ client }: ClickHouse): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const mart of MARTS) {
    const rowsOf = async (query: string): Promise<unknown[]> => {
      const result = await client.query({ query, format: 'JSONEachRow', clickhouse_settings: EXACT_JSON });
      return result.json();
    };
    const columns = z.array(Column).parse(await rowsOf(`describe table ${DATABASES.marts}.${mart}`));
    const instants = new Set(
      columns.filter(({ type }) => type.includes('DateTime64')).map(({ name }) => name),
    );
    const rows = z.array(Exported).parse(await rowsOf(`select * from ${DATABASES.marts}.${mart}`));
    texts.set(mart, exportText(rows.map((row) => withShortInstants(row, instants))));
  }
  return texts;
}

/** As our readers give instants: with a fraction of a second only where there is one. */
function withShortInstants(
  row: Readonly<Record<string, unknown>>,
  instants: ReadonlySet<string>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      instants.has(name) && typeof value === 'string' ? formatInstant(parseInstant(value)) : value,
    ]),
  );
}
