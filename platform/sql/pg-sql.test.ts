import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { sql as sqlText } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { localCertificate } from '../../test/support/certificate.js';
import { freePort } from '../../test/support/free-port.js';
import { hasPostgres, POSTGRES_PASSWORD, startPostgres, type Postgres } from '../../test/support/postgres.js';
import type { DatabaseConfig } from '../config.js';
import { SecretText } from '../secrets.js';
import { knownError } from '../known-error.js';
import { rows } from './migrations.js';
import { openPgSql } from './pg-sql.js';
import { apiKeys } from './schema.js';
import { sqlContract } from './sql.contract.js';
import { transaction, type Sql } from './sql.js';

const configOf = (url: string, config: Partial<DatabaseConfig> = {}): DatabaseConfig => ({
  url: new SecretText(url),
  poolSize: 4,
  timeoutMs: 10_000,
  ...config,
});
const KEY = { keyId: 'key_1', name: 'Ana', secretHash: 'h1', scopes: ['ingest'], createdAt: 1n };
/** The reason that callers are told, as text. */
const toldBy = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: unknown) => knownError(error),
  );

describe.skipIf(!hasPostgres())('a Postgres server', () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  sqlContract('Postgres', async () => {
    const url = await postgres.createDatabase();
    return { open: () => openPgSql(configOf(url)), dispose: () => Promise.resolve() };
  });

  describe('that answers', () => {
    let url: string;
    let sql: Sql;
    beforeEach(async () => {
      url = await postgres.createDatabase();
      sql = await openPgSql(configOf(url));
    });
    afterEach(() => sql.close());

    test('is migrated once by any number of processes that start together', async () => {
      const others = await Promise.all(Array.from({ length: 5 }, () => openPgSql(configOf(url))));
      await Promise.all([sql, ...others].map((one) => one.migrate()));
      await sql.database.insert(apiKeys).values(KEY);
      for (const other of others) {
        expect(await other.database.select().from(apiKeys)).toHaveLength(1);
        await other.close();
      }
    });

    test('has sessions of ours, whatever the database says: UTC, ISO dates, read committed', async () => {
      const database = new URL(url).pathname.slice(1);
      await postgres.run(
        database,
        `alter database ${database} set timezone = 'Asia/Tokyo'`,
        `alter database ${database} set datestyle = 'German'`,
        `alter database ${database} set default_transaction_isolation = 'serializable'`,
      );
      await sql.close();
      sql = await openPgSql(configOf(url));
      await sql.migrate();
      await sql.database.insert(apiKeys).values({ ...KEY, createdAt: 1_767_225_600_000_001n });
      expect((await sql.database.select().from(apiKeys))[0]?.createdAt).toBe(1_767_225_600_000_001n);
      expect(await rows(sql.database, sqlText`show transaction_isolation`)).toEqual([
        { transaction_isolation: 'read committed' },
      ]);
    });

    test('is said to survive a power cut, and not when it was told not to wait for the disk', async () => {
      expect(sql.survivesPowerCut).toBe(true);
      const database = new URL(url).pathname.slice(1);
      await postgres.run(database, `alter database ${database} set synchronous_commit = off`);
      const careless = await openPgSql(configOf(url));
      expect(careless.survivesPowerCut).toBe(false);
      await careless.close();
    });

    test('cuts a statement that takes too long, and says by which setting', async () => {
      const hasty = await openPgSql(configOf(url, { timeoutMs: 100 }));
      expect(await toldBy(hasty.database.execute(sqlText`select pg_sleep(30)`))).toMatchObject({
        code: 'sql_unavailable',
        retryable: true,
        message: expect.stringContaining('HEADGATE_DATABASE_TIMEOUT_SECONDS') as string,
      });
      await hasty.close();
    });

    test('whose disk is full is told apart, and nothing of the transaction stays', async () => {
      await sql.migrate();
      // The server's own error, raised where a full disk would raise it.
      await postgres.run(
        new URL(url).pathname.slice(1),
        `create function full_disk() returns trigger language plpgsql as $$
         begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$`,
        'create trigger full_disk before insert on audit_entries execute function full_disk()',
      );
      const work = transaction(sql, async (database) => {
        await database.insert(apiKeys).values(KEY);
        await database.execute(sqlText`insert into audit_entries values (1, now(), '', '', '', '', '', '')`);
      });
      expect(await toldBy(work)).toMatchObject({
        code: 'disk_full',
        retryable: true,
        details: { retryAfterSeconds: 30 },
      });
      expect(await sql.database.select().from(apiKeys)).toEqual([]);
    });

    test('lends no more connections than the pool has; who waits too long is told which setting', async () => {
      const small = await openPgSql(configOf(url, { poolSize: 1, timeoutMs: 500 }));
      let release: () => void = () => undefined;
      const held = transaction(
        small,
        () =>
          new Promise<void>((resolve) => {
            release = resolve;
          }),
      );
      expect(await toldBy(small.database.execute(sqlText`select`))).toMatchObject({
        code: 'sql_unavailable',
        message: expect.stringContaining('HEADGATE_DATABASE_POOL') as string,
        details: { retryAfterSeconds: 1 },
      });
      release();
      await held;
      await small.close();
    });
  });

  describe('that goes away', () => {
    // With one database: recovery syncs every file of the server.
    let mortal: Postgres;
    let sql: Sql;
    beforeAll(async () => {
      mortal = await startPostgres();
    });
    afterAll(() => mortal.stop());
    beforeEach(async () => {
      sql = await openPgSql(configOf(await mortal.createDatabase(), { poolSize: 2 }));
      await sql.migrate();
    });
    afterEach(() => sql.close());

    test.each(['crash', 'shutDown'] as const)(
      'in a transaction (%s): it fails clearly, leaves nothing, and once it is back all goes on',
      async (end) => {
        // More often than there are connections: a broken one that came back to the pool would be met again.
        for (let round = 0; round < 3; round += 1) {
          const work = transaction(sql, async (database) => {
            await database.insert(apiKeys).values(KEY);
            await mortal[end]();
            await database.insert(apiKeys).values({ ...KEY, keyId: 'key_2', secretHash: 'h2' });
          });
          const told = await toldBy(work);
          expect(told).toMatchObject({ code: 'sql_unavailable', retryable: true, status: 503 });
          expect(String(told)).toContain('DATABASE_URL');
          expect(String(told)).not.toContain(POSTGRES_PASSWORD);
          expect(await toldBy(transaction(sql, () => Promise.resolve()))).toMatchObject({
            code: 'sql_unavailable',
            details: { retryAfterSeconds: expect.any(Number) as number },
          });
          await mortal.start();
          expect(await sql.database.select().from(apiKeys)).toEqual([]);
        }
      },
    );

    test('between two statements of nobody: the process lives on', async () => {
      await sql.database.select().from(apiKeys);
      await mortal.crash();
      await mortal.start();
      await expect.poll(() => sql.database.select().from(apiKeys).catch(String)).toEqual([]);
    });
  });

  describe('that cannot be used is refused with what to change, and never shows the password', () => {
    const refusal = async (url: string, config: Partial<DatabaseConfig> = {}): Promise<unknown> => {
      const told = await toldBy(openPgSql(configOf(url, config)).then((sql) => sql.close()));
      expect(String(told)).toContain('DATABASE_URL');
      expect(JSON.stringify([String(told), told])).not.toContain(POSTGRES_PASSWORD);
      return told;
    };
    const text = (pattern: string) => expect.stringContaining(pattern) as string;

    test('a wrong password', async () => {
      const told = await refusal(postgres.url('postgres').replace(POSTGRES_PASSWORD, 'wrong'));
      expect(told).toMatchObject({ code: 'invalid_config', message: text('password') });
    });

    test('no password', async () => {
      const told = await refusal(postgres.url('postgres').replace(`:${POSTGRES_PASSWORD}`, ''));
      expect(told).toMatchObject({ code: 'invalid_config', message: text('password') });
    });

    test('a database that is not there', async () => {
      expect(await refusal(postgres.url('nowhere'))).toMatchObject({
        code: 'invalid_config',
        message: text('/nowhere): the database does not exist'),
      });
    });

    test('a port where nobody listens may be right later', async () => {
      const told = await refusal(
        `postgres://headgate:${POSTGRES_PASSWORD}@127.0.0.1:${await freePort()}/headgate`,
      );
      expect(told).toMatchObject({ code: 'sql_unavailable', retryable: true, message: text('ECONNREFUSED') });
    });

    test('a host without an address', async () => {
      const told = await refusal(`postgres://headgate:${POSTGRES_PASSWORD}@nowhere.invalid/headgate`);
      expect(told).toMatchObject({ code: 'sql_unavailable', message: text('nowhere.invalid') });
    });

    test('a port where something else listens', async () => {
      const other = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(
        0,
        '127.0.0.1',
      );
      await once(other, 'listening');
      const address = other.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      const told = await refusal(`postgres://headgate:${POSTGRES_PASSWORD}@127.0.0.1:${port}/headgate`);
      expect(told).toMatchObject({ code: 'sql_unavailable' });
      other.close();
    });

    test('TLS asked of a server without it', async () => {
      const told = await refusal(`${postgres.url('postgres')}?sslmode=require`);
      expect(told).toMatchObject({ code: 'invalid_config', message: text('has no TLS') });
    });

    test('an authority file that is not there', async () => {
      const told = await refusal(`${postgres.url('postgres')}?sslmode=verify-full&sslrootcert=/nowhere.pem`);
      expect(told).toMatchObject({ code: 'invalid_config', message: text('/nowhere.pem') });
    });

    test('a server that is too old', async () => {
      const url = await postgres.createDatabase();
      const database = new URL(url).pathname.slice(1);
      // Postgres 14's binaries are not here; a function that hides the built-in one gives its answer.
      await postgres.run(
        database,
        'create schema old',
        `create function old.current_setting(text) returns text language sql as
         $$ select case $1 when 'server_version_num' then '140022' else pg_catalog.current_setting($1) end $$`,
        `alter database ${database} set search_path = old, pg_catalog`,
      );
      expect(await refusal(url)).toMatchObject({
        code: 'invalid_config',
        message: text('is Postgres 14; Headgate needs 15'),
      });
    });

    test('a database that keeps text in another encoding', async () => {
      await postgres.run('postgres', `create database latin encoding 'LATIN1' template template0`);
      expect(await refusal(postgres.url('latin'))).toMatchObject({ message: text('UTF8') });
    });

    test('a user who may not make tables, at the migration', async () => {
      const url = await postgres.createDatabase();
      await postgres.run('postgres', `create user guest password '${POSTGRES_PASSWORD}'`);
      const sql = await openPgSql(configOf(url.replace('headgate:', 'guest:')));
      const told = await toldBy(sql.migrate());
      expect(told).toMatchObject({ code: 'invalid_config', message: text('grant it CREATE') });
      await sql.close();
    });
  });

  describe('with TLS', () => {
    const { certificate, key } = localCertificate();
    let secure: Postgres;
    beforeAll(async () => {
      secure = await startPostgres({ tls: { certificate, key } });
    });
    afterAll(() => secure.stop());

    test('is used with the authority that the URL names, and refused without it', async () => {
      const authority = join(secure.directory, 'authority.pem');
      writeFileSync(authority, certificate);
      const url = `${secure.url('postgres')}?sslmode=verify-full`;
      await (await openPgSql(configOf(`${url}&sslrootcert=${authority}`))).close();
      expect(await toldBy(openPgSql(configOf(url)))).toMatchObject({
        code: 'invalid_config',
        message: expect.stringContaining('sslrootcert') as string,
      });
    });

    test('means with sslmode=require what it means to psql: encrypted, whoever signed', async () => {
      const sql = await openPgSql(configOf(`${secure.url('postgres')}?sslmode=require`));
      expect(
        await rows(sql.database, sqlText`select ssl from pg_stat_ssl where pid = pg_backend_pid()`),
      ).toEqual([{ ssl: true }]);
      await sql.close();
    });

    test('that takes nothing else says so to a URL without it', async () => {
      writeFileSync(join(secure.directory, 'data', 'pg_hba.conf'), 'hostssl all all all scram-sha-256\n');
      await secure.run('postgres', 'select pg_reload_conf()');
      await expect
        .poll(() => toldBy(openPgSql(configOf(secure.url('postgres')))))
        .toMatchObject({
          code: 'invalid_config',
          message: expect.stringContaining('add ?sslmode=') as string,
        });
    });
  });

  test('that became a standby is refused at the start, and told while it runs', async () => {
    const standby = await startPostgres();
    const url = await standby.createDatabase();
    const sql = await openPgSql(configOf(url));
    await sql.migrate();
    await standby.shutDown();
    writeFileSync(join(standby.directory, 'data', 'standby.signal'), '');
    await standby.start();
    expect(await toldBy(openPgSql(configOf(url)))).toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining('standby') as string,
    });
    await expect
      .poll(() => toldBy(sql.database.insert(apiKeys).values(KEY)))
      .toMatchObject({ code: 'sql_unavailable', message: expect.stringContaining('standby') as string });
    await sql.close();
    await standby.stop();
  });
});
