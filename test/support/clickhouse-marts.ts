import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
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

/** Where one company's tables are in ClickHouse: a database for each kind. */
interface Databases {
  readonly raw: string;
  readonly catalog: string;
  readonly facts: string;
  readonly marts: string;
}

export interface ClickHouseMarts {
  readonly database: string;
  readonly outcome: DbtOutcome;
}

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
 * same dbt project.
 */
export async function buildOnClickHouse(
  clickHouse: ClickHouse,
  company: TestCompany,
  run: Run,
): Promise<ClickHouseMarts> {
  const databases = {
    raw: `raw_${run.runId}`,
    catalog: `catalog_${run.runId}`,
    facts: `facts_${run.runId}`,
    marts: `marts_${run.runId}`,
  };
  for (const database of Object.values(databases)) {
    await clickHouse.client.command({ query: `create database ${database}` });
  }
  const scratch = await mkdtemp(join(tmpdir(), 'headgate-clickhouse-build-'));
  try {
    for (const stream of STREAMS) await copyRawRows(clickHouse, company, stream, databases, scratch);
    const { catalogs, sql } = company.runtime.services;
    const inputs = await companyInputs(catalogs, await standingArrivals(sql));
    for (const [name, table] of Object.entries(inputs.tables)) {
      await copyInput(clickHouse, `${databases.catalog}.${name}`, table);
    }
    return { database: databases.marts, outcome: await build(clickHouse, run, databases, scratch) };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Through Parquet, so that no value passes through JavaScript. */
async function copyRawRows(
  { client }: ClickHouse,
  company: TestCompany,
  stream: Stream,
  { raw }: Databases,
  scratch: string,
): Promise<void> {
  const file = join(scratch, `${stream}.parquet`);
  const select = `select ${RAW_COLUMN_LIST} from ${rawTable(stream)}`;
  await company.runtime.services.warehouse.bulk((session) =>
    session.run(`copy (${select}) to '${file}' (format parquet)`),
  );
  await client.command({ query: `create table ${raw}.${stream} ${RAW_TABLE}` });
  await client.insert({ table: `${raw}.${stream}`, values: createReadStream(file), format: 'Parquet' });
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

async function build(
  clickHouse: ClickHouse,
  run: Run,
  databases: Databases,
  scratch: string,
): Promise<DbtOutcome> {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const { dbt } = await ensurePythonEnvironment({ cacheDirectory: join(cache, 'headgate') });
  const { PATH, HOME, LANG } = process.env;
  return runDbt({
    dbt,
    target: 'clickhouse',
    scratchDirectory: scratch,
    environment: {
      HEADGATE_CLICKHOUSE_PORT: String(clickHouse.port),
      HEADGATE_MARTS_DATABASE: databases.marts,
    },
    variables: {
      as_of: sqlInstant(run.asOf),
      run_id: run.runId,
      run_started: sqlInstant(run.startedAt),
      code_revision: run.codeRevision,
      catalog_version: Number(run.catalogVersion ?? 0n),
      watermark: watermarkJson(run.watermark),
      incremental: false,
      raw_database: databases.raw,
      catalog_database: databases.catalog,
      facts_database: databases.facts,
    },
    inherited: { PATH, HOME, LANG },
  });
}

const Column = z.object({ name: z.string(), type: z.string() });
const Exported = z.record(z.string(), z.unknown());

/** All marts of a build on ClickHouse, as `exportMarts` gives DuckDB's. */
export async function exportClickHouseMarts(
  { client }: ClickHouse,
  database: string,
): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const mart of MARTS) {
    const rowsOf = async (query: string): Promise<unknown[]> => {
      const result = await client.query({ query, format: 'JSONEachRow', clickhouse_settings: EXACT_JSON });
      return result.json();
    };
    const columns = z.array(Column).parse(await rowsOf(`describe table ${database}.${mart}`));
    const instants = new Set(
      columns.filter(({ type }) => type.includes('DateTime64')).map(({ name }) => name),
    );
    const rows = z.array(Exported).parse(await rowsOf(`select * from ${database}.${mart}`));
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
