import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileDurably } from '../../platform/durable-file.js';
import type { ClickHouseConnection } from '../../platform/warehouse/clickhouse-connection.js';
import type { StatusesOf } from './run-builder.js';

/** What a build asks of the server. */
export type BuildConnection = Pick<ClickHouseConnection, 'target' | 'query' | 'command' | 'insertObjects'>;

/** The databases that a build works in. They are its process's own, so that two builds never meet in one. */
export interface BuildDatabases {
  readonly marts: string;
  readonly facts: string;
  readonly inputs: string;
}

const Name = z.object({ name: z.string() });

export const namesOf = ({ marts, facts, inputs }: BuildDatabases): string[] => [marts, facts, inputs];

export function buildDatabases(main: string, instance: string): BuildDatabases {
  const marts = `${main}_build_${instance}`;
  return { marts, facts: `${marts}_facts`, inputs: `${marts}_inputs` };
}

/** A short name for this data directory, made once: dbt's parse is good for as long as the names in it stay the same. */
export async function instanceOf(dataDirectory: string): Promise<string> {
  const file = join(dataDirectory, 'instance.txt');
  const known = await readFile(file, 'utf8').catch(() => '');
  if (/^[0-9a-f]{8}$/.test(known)) return known;
  const instance = randomBytes(4).toString('hex');
  await writeFileDurably(file, instance);
  return instance;
}

/** Databases of any size: the server's guard against dropping large tables is for people. */
export async function dropDatabase(connection: BuildConnection, name: string): Promise<void> {
  await connection.command(
    `DROP DATABASE IF EXISTS ${name} SYNC SETTINGS max_table_size_to_drop = 0, max_partition_size_to_drop = 0`,
  );
}

export async function dropBuild(connection: BuildConnection, databases: BuildDatabases): Promise<void> {
  for (const database of namesOf(databases)) await dropDatabase(connection, database);
}

export async function tablesOf(connection: BuildConnection, database: string): Promise<string[]> {
  const tables = await connection.query(
    'SELECT name FROM system.tables WHERE database = $database ORDER BY name',
    { database },
    Name,
  );
  return tables.map(({ name }) => name);
}

/** No build takes that long: an instance whose data directory is gone will not clean up after itself. */
const ABANDONED_AFTER_DAYS = 7;

/**
 * Drops the databases of builds that will not end, and of runs that failed or that retention let go. A run that the `runs` table does
 * not know is left alone: it may be another company's, whose main database begins with the same name.
 */
export async function dropLeftovers(
  connection: BuildConnection,
  mine: BuildDatabases,
  statusesOf: StatusesOf,
): Promise<void> {
  await dropBuild(connection, mine);
  const main = connection.target.database;
  const abandoned = await connection.query(
    `SELECT database AS name FROM system.tables WHERE match(database, $pattern)
     GROUP BY database HAVING max(metadata_modification_time) < now() - INTERVAL ${ABANDONED_AFTER_DAYS} DAY`,
    { pattern: `^${main}_build_[0-9a-f]{8}(_facts|_inputs)?$` },
    Name,
  );
  for (const { name } of abandoned) await dropDatabase(connection, name);

  const ofRuns = await connection.query(
    'SELECT name FROM system.databases WHERE match(name, $pattern) ORDER BY name',
    { pattern: `^${main}_(facts_)?run_[0-9a-z]+$` },
    Name,
  );
  const runOf = (name: string): string => name.slice(name.lastIndexOf('run_'));
  const statuses = await statusesOf([...new Set(ofRuns.map(({ name }) => runOf(name)))]);
  for (const { name } of ofRuns) {
    const status = statuses.get(runOf(name));
    if (status === 'failed' || status === 'dropped') await dropDatabase(connection, name);
  }
}
