import { sql as sqlText } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';
import { z } from 'zod';
import { InputError, RefusedError } from '../../core/errors.js';
import type { DatabaseConfig } from '../config.js';
import { MIGRATIONS_FOLDER, migrateStore, rows } from './migrations.js';
import { runningError, startError, type PgTarget } from './pg-errors.js';
import { guardedPool } from './pg-pool.js';
import type { Sql, SqlDatabase } from './sql.js';

/** The oldest server that every migration is written for. */
const OLDEST_SERVER = 15;
const CONNECT_TIMEOUT_MS = 10_000;
/** The server ends a statement by its own clock; past this much more, it or the way to it is gone. */
const GRACE_MS = 5_000;
/** One migrates, the others wait. Any constant will do, as long as nothing else in this database locks on it. */
const MIGRATE_LOCK = 4_871_003;
/** Old connections are replaced now and then, so that a server that moved is found at its new place. */
const CONNECTION_LIFE_SECONDS = 1800;

const SESSION = {
  TimeZone: 'UTC',
  DateStyle: 'ISO,YMD',
  // What waited for a lock must see what the one before it wrote.
  default_transaction_isolation: 'read\\ committed',
};
/** A migration may take longer than a statement. */
const MIGRATING_SESSION = { ...SESSION, statement_timeout: '0', lock_timeout: '300s' };

/**
 * A Postgres server, which other processes may use too.
 *
 * @throws RefusedError `invalid_config` naming DATABASE_URL when somebody has to change it, or the server
 * @throws UnavailableError `sql_unavailable` when the server is not there right now
 */
export async function openPgSql(config: DatabaseConfig): Promise<Sql> {
  const target = targetOf(config);
  const timeout = `${config.timeoutMs}ms`;
  const pool = new pg.Pool({
    ...connectionOptions(config, target, {
      ...SESSION,
      statement_timeout: timeout,
      lock_timeout: timeout,
      idle_in_transaction_session_timeout: `${config.timeoutMs + GRACE_MS}ms`,
    }),
    connectionTimeoutMillis: Math.min(CONNECT_TIMEOUT_MS, config.timeoutMs),
    query_timeout: config.timeoutMs + GRACE_MS,
    max: config.poolSize,
    idleTimeoutMillis: 30_000,
    maxLifetimeSeconds: CONNECTION_LIFE_SECONDS,
  });
  const database = drizzle({ client: guardedPool(pool, (error) => runningError(error, target)) });
  try {
    const server = await look(pool);
    check(server, target);
    return {
      database,
      isShared: true,
      survivesPowerCut: server.fsync && server.commits,
      migrate: () => migrateAlone(connectionOptions(config, target, MIGRATING_SESSION), target),
      close: async () => {
        if (!pool.ending) await pool.end();
      },
    };
  } catch (error) {
    await pool.end();
    throw startError(error, target);
  }
}

function targetOf({ url, poolSize, timeoutMs }: DatabaseConfig): PgTarget {
  const { username, host, pathname, searchParams } = new URL(url.reveal());
  const user = searchParams.get('user') ?? decodeURIComponent(username);
  const address = `${user}@${searchParams.get('host') ?? host}${pathname}`;
  return { address, poolSize, timeoutMs };
}

/** @param session settings of each session, whatever the server, the database or the role say otherwise */
function connectionOptions(
  { url }: DatabaseConfig,
  target: PgTarget,
  session: Readonly<Record<string, string>>,
): pg.PoolConfig {
  const given = new URL(url.reveal());
  const own = Object.entries(session).map(([name, value]) => `-c ${name}=${value}`);
  given.searchParams.set('options', [given.searchParams.get('options') ?? '', ...own].join(' ').trim());
  // sslmode means what it means to psql; the driver would take `require` for `verify-full`.
  if (given.searchParams.has('sslmode')) given.searchParams.set('uselibpqcompat', 'true');
  const options = {
    connectionString: given.href,
    application_name: 'headgate',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  };
  try {
    // Reads the files that the URL names.
    new pg.Client(options);
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
    throw new InputError('invalid_config', `sql: DATABASE_URL (${target.address}): ${why ?? ''}`);
  }
  return options;
}

const Server = z.object({
  version: z.coerce.number(),
  encoding: z.string(),
  readonly: z.boolean(),
  fsync: z.boolean(),
  commits: z.boolean(),
});

async function look(pool: pg.Pool): Promise<z.infer<typeof Server>> {
  const { rows: found } = await pool.query<Record<string, unknown>>(`
    select
      current_setting('server_version_num') as version,
      current_setting('server_encoding') as encoding,
      current_setting('transaction_read_only') = 'on' as readonly,
      current_setting('fsync') = 'on' as fsync,
      current_setting('synchronous_commit') <> 'off' as commits`);
  return Server.parse(found[0]);
}

function check({ version, encoding, readonly }: z.infer<typeof Server>, { address }: PgTarget): void {
  const refuse = (problem: string): RefusedError =>
    new RefusedError('invalid_config', `sql: DATABASE_URL (${address}): ${problem}`);
  if (Math.floor(version / 10_000) < OLDEST_SERVER) {
    throw refuse(
      `the server is Postgres ${Math.floor(version / 10_000)}; Headgate needs ${OLDEST_SERVER} or later`,
    );
  }
  if (encoding !== 'UTF8') {
    throw refuse(`the database keeps text as ${encoding}; make one with encoding UTF8`);
  }
  if (readonly) {
    throw refuse('the server takes no writes: it is a standby, or read-only; name the primary');
  }
}

/** On a connection of its own, whose end lets the lock go whatever happens. */
async function migrateAlone(options: pg.PoolConfig, target: PgTarget): Promise<void> {
  const client = new pg.Client(options);
  client.on('error', () => undefined);
  try {
    await client.connect();
    const database: SqlDatabase = drizzle({ client });
    await rows(database, sqlText`select pg_advisory_lock(${MIGRATE_LOCK})`);
    await migrateStore(
      database,
      () => migrate(drizzle({ client }), { migrationsFolder: MIGRATIONS_FOLDER }),
      (error) => startError(error, target),
    );
  } catch (error) {
    throw startError(error, target);
  } finally {
    await client.end();
  }
}
