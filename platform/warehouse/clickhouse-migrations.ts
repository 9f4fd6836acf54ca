import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { InputError, invariant, RefusedError, UnavailableError } from '../../core/errors.js';
import { packagePath } from '../package-path.js';
import type { ClickHouseConnection } from './clickhouse-connection.js';
import { connectError } from './clickhouse-errors.js';
import { statementsOf } from './clickhouse-statement.js';

/** The oldest server that the schema and the SQL of runs are written for. */
const OLDEST = { year: 25, month: 8 } as const;

/**
 * One step of the schema. Servers know no transaction over several statements, and two processes may start at once: so each
 * statement must do nothing where it has been done before (IF NOT EXISTS), and a step is written down after it was done.
 */
interface Migration {
  readonly version: number;
  readonly name: string;
  readonly statements: readonly string[];
}

const MIGRATION_FILE = /^(\d{4})_([a-z0-9_]+)\.sql$/;

export function shippedMigrations(): Migration[] {
  const folder = packagePath('platform', 'warehouse', 'migrations');
  return readdirSync(folder)
    .sort()
    .flatMap((file) => {
      const [, version, name] = MIGRATION_FILE.exec(file) ?? [];
      if (version === undefined || name === undefined) return [];
      const statements = statementsOf(
        readFileSync(packagePath('platform', 'warehouse', 'migrations', file), 'utf8'),
      );
      return [{ version: Number(version), name, statements }];
    });
}

/** A host that swallows packets would be waited for as long as a statement may take. */
const FIRST_ANSWER_MS = 10_000;
const VERSION = { sql: 'SELECT version()', values: {} };
const Applied = z.object({ version: z.number() });
const Identity = z.object({ warehouse_id: z.string() });

/**
 * The first word with a server: that it is ClickHouse, lets us in, and is not too old.
 *
 * @throws InputError `invalid_config` naming the setting to change; UnavailableError when nothing answers
 */
export async function checkServer(server: ClickHouseConnection): Promise<void> {
  const { origin } = server.target;
  const version = await versionOf(server).catch((error: unknown) => {
    throw connectError(error, origin);
  });
  const [year = 0, month = 0] = version.split('.').map(Number);
  if (year > OLDEST.year || (year === OLDEST.year && month >= OLDEST.month)) return;
  const problem = `${origin} is ClickHouse ${version}; Headgate needs ${OLDEST.year}.${OLDEST.month} or later: upgrade it, or name another server in CLICKHOUSE_URL`;
  throw new InputError('invalid_config', `ClickHouse: ${problem}`, { details: { problems: [problem] } });
}

async function versionOf(server: ClickHouseConnection): Promise<string> {
  const { batches } = await server.read(VERSION, {}, AbortSignal.timeout(FIRST_ANSWER_MS));
  for await (const [row] of batches) return String(row?.[0]);
  throw new Error('an answer without rows');
}

/**
 * Brings the main database to this version.
 *
 * @param server is in no database of ours, for ours may not be there yet
 * @param connection is in the main database
 * @throws RefusedError when a newer headgate has been here
 */
export async function migrateClickHouse(
  server: ClickHouseConnection,
  connection: ClickHouseConnection,
): Promise<void> {
  const { database } = connection.target;
  await server.command(`CREATE DATABASE IF NOT EXISTS ${database}`);
  await connection.command(`CREATE TABLE IF NOT EXISTS schema_migrations
    (version UInt32, name String, applied_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')) ENGINE = MergeTree ORDER BY version`);
  const applied = await connection.query('SELECT DISTINCT version FROM schema_migrations', {}, Applied);
  const done = new Set(applied.map(({ version }) => version));
  const shipped = shippedMigrations();
  refuseNewer(database, done, shipped);
  for (const { version, name, statements } of shipped.filter((migration) => !done.has(migration.version))) {
    try {
      for (const statement of statements) await connection.command(statement);
    } catch (cause) {
      if (cause instanceof UnavailableError) throw cause;
      throw new RefusedError(
        'schema_migration_failed',
        `ClickHouse: migration ${version} (${name}) of database ${database} failed; start again when its cause is gone`,
        { cause },
      );
    }
    await connection.insertObjects('schema_migrations', [{ version, name }]);
  }
}

function refuseNewer(database: string, done: ReadonlySet<number>, shipped: readonly Migration[]): void {
  const newest = shipped.at(-1)?.version ?? 0;
  const ahead = Math.max(0, ...done);
  if (ahead <= newest) return;
  throw new RefusedError(
    'data_directory_newer',
    `ClickHouse: database ${database} has schema ${ahead} of a newer headgate (this one knows ${newest}); install that version, or name another database in CLICKHOUSE_URL`,
  );
}

/**
 * Which warehouse this is, wherever it is moved or restored to. A view with the id in its text: of two processes that make it at
 * once only one can, and nobody can add a second row.
 */
export async function warehouseIdentity(connection: ClickHouseConnection): Promise<string> {
  await connection.command(
    `CREATE VIEW IF NOT EXISTS installation AS SELECT '${randomUUID()}' AS warehouse_id`,
  );
  const [row] = await connection.query('SELECT warehouse_id FROM installation', {}, Identity);
  invariant(row !== undefined, 'the view installation has one row');
  return row.warehouse_id;
}
