import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Runtime } from '../cli/runtime.js';
import { newId, RANDOM_BYTES } from '../core/ids.js';
import type { Stream } from '../core/raw-event.js';
import type { Instant } from '../core/time.js';
import { packagePath } from '../platform/package-path.js';
import { sqlName, sqlText } from '../platform/warehouse/duckdb-values.js';
import { beginRun, publishRun } from '../transforms/run-store.js';

type Cell = string | number | bigint | boolean | null;
export type Row = Readonly<Record<string, Cell>>;

export interface HandMadeRun {
  readonly asOf: Instant;
  /** Rows by relation; columns left out are NULL. */
  readonly rows: Readonly<Record<string, readonly Row[]>>;
  /** Facts by stream, as rows with the columns that the reader under test selects. */
  readonly facts?: Partial<Readonly<Record<Stream, readonly Row[]>>>;
  /** Columns by relation that are not there, as in a run of another version. */
  readonly without?: Readonly<Record<string, readonly string[]>>;
}

const Models = z.looseObject({
  models: z
    .array(
      z.looseObject({
        name: z.string(),
        columns: z.array(z.looseObject({ name: z.string(), data_type: z.string() })),
      }),
    )
    .default([]),
});

/** Relations that readers use and that have no contract of their own. */
const INTERMEDIATES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  int_orgs: {
    org_id: 'varchar',
    name: 'varchar',
    segment: 'varchar',
    country: 'varchar',
    zone: 'varchar',
    parent_org_id: 'varchar',
    is_excluded: 'boolean',
  },
  int_installs: {
    org_id: 'varchar',
    install_id: 'varchar',
    package_id: 'varchar',
    bundle_id: 'varchar',
    channel: 'varchar',
    created_at: 'timestamp',
    first_value_at: 'timestamp',
    ended_at: 'timestamp',
  },
  int_corrections: {
    stream: 'varchar',
    position: 'bigint',
    identity: 'varchar',
    type: 'varchar',
    subject: 'varchar',
    at: 'timestamp',
    source: 'varchar',
    event_id: 'varchar',
    target_identity: 'varchar',
    target_source: 'varchar',
    target_id: 'varchar',
    amended_data: 'varchar',
  },
  int_mrr_items: { org_id: 'varchar', product_id: 'varchar', valid_from: 'timestamp', valid_to: 'timestamp' },
};

/** Every mart with the columns of its contract, read from where dbt reads them. */
function contracts(): Map<string, Readonly<Record<string, string>>> {
  const folder = packagePath('transforms', 'models', 'marts');
  const tables = new Map(Object.entries(INTERMEDIATES));
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.yml'))) {
    const { models } = Models.parse(parse(readFileSync(join(folder, file), 'utf8')));
    for (const { name, columns } of models) {
      tables.set(name, Object.fromEntries(columns.map((column) => [column.name, column.data_type])));
    }
  }
  return tables;
}

const literal = (value: Cell): string => {
  if (value === null) return 'NULL';
  return typeof value === 'string' ? sqlText(value) : String(value);
};

async function fill(connection: DuckDBConnection, table: string, rows: readonly Row[]): Promise<void> {
  for (const row of rows) {
    const columns = Object.keys(row).map(sqlName).join(', ');
    await connection.run(
      `insert into ${table} (${columns}) values (${Object.values(row).map(literal).join(', ')})`,
    );
  }
}

/** Facts are read as Parquet; a table of text and numbers is all that a reader under test needs. */
async function writeFacts(connection: DuckDBConnection, file: string, rows: readonly Row[]): Promise<void> {
  const [first = {}] = rows;
  const types = Object.entries(first).map(([name, value]) => `${sqlName(name)} ${typeOf(name, value)}`);
  await connection.run(`create or replace table facts (${types.join(', ')})`);
  await fill(connection, 'facts', rows);
  await connection.run(`copy facts to ${sqlText(file)} (format parquet)`);
  await connection.run('drop table facts');
}

function typeOf(name: string, value: Cell): string {
  if (name === 'at' || name === 'recorded_at') return 'timestamp';
  if (name === 'day') return 'date';
  if (name === 'quantity' || name === 'saved_minutes') return 'decimal(38, 12)';
  if (typeof value === 'boolean') return 'boolean';
  return typeof value === 'number' || typeof value === 'bigint' ? 'bigint' : 'varchar';
}

/** Publishes marts whose rows a test wrote down, without dbt: for tests of what reads marts, not of what builds them. */
export async function publishHandMadeRun(runtime: Runtime, run: HandMadeRun): Promise<string> {
  const { services, directory } = runtime;
  const now = services.clock();
  const random = Uint8Array.from({ length: RANDOM_BYTES }, () => Math.floor(Math.random() * 256));
  const runId = newId('run', now, random);
  mkdirSync(directory.runDirectory(runId), { recursive: true });
  const instance = await DuckDBInstance.create(directory.marts(runId));
  const connection = await instance.connect();
  for (const [name, columns] of contracts()) {
    const definitions = Object.entries(columns).map(([column, type]) => `${sqlName(column)} ${type}`);
    await connection.run(`create table ${name} (${definitions.join(', ')})`);
    await fill(connection, name, run.rows[name] ?? []);
    for (const column of run.without?.[name] ?? [])
      await connection.run(`alter table ${name} drop column ${sqlName(column)}`);
  }
  for (const stream of ['executions', 'installs', 'billing', 'crm'] as const) {
    const rows = run.facts?.[stream] ?? [];
    if (rows.length === 0) continue;
    mkdirSync(directory.runFacts(runId, stream), { recursive: true });
    await writeFacts(connection, join(directory.runFacts(runId, stream), 'month=2026-01.parquet'), rows);
  }
  connection.closeSync();
  instance.closeSync();
  await beginRun(services.sql, {
    runId,
    asOf: run.asOf,
    startedAt: now,
    watermark: { executions: [], installs: [], billing: [], crm: [] },
    catalogVersion: null,
    isHistorical: false,
    isIncremental: false,
    codeRevision: 'test',
    location: directory.runDirectory(runId),
  });
  await publishRun(services.sql, runId, { finishedAt: now, eventCounts: {}, timings: {} });
  services.runs.pointerMoved();
  return runId;
}
