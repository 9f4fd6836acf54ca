import { eq, sql as sqlText } from 'drizzle-orm';
import { describe, expect, test } from 'vitest';
import { hasPostgres, startPostgres } from '../../test/support/postgres.js';
import { onEveryStore, openTestSql } from '../../test/support/two-processes.js';
import { rows } from './migrations.js';
import { Lease } from './lease.js';
import { apiKeys, leases } from './schema.js';
import { transaction, type Sql } from './sql.js';

const TTL_MS = 60_000;
const request = (name: string, ttlMs = TTL_MS) => ({ name, holder: 'a test', ttlMs });

async function acquired(sql: Sql, name: string, ttlMs = TTL_MS): Promise<Lease> {
  const lease = await Lease.acquire(sql, request(name, ttlMs));
  if (lease === null) throw new Error(`the lease ${name} is taken`);
  return lease;
}

/** As if its holder had given no sign of life for too long. */
const expire = (sql: Sql, name: string) =>
  sql.database
    .update(leases)
    .set({ expiresAt: sqlText`clock_timestamp() - interval '1 second'` })
    .where(eq(leases.name, name));
const assertIn = (sql: Sql, lease: Lease) => transaction(sql, (database) => lease.assertHeld(database));

onEveryStore((processes) => {
  test('one has a lease at a time; when it is given back, the next one has it at once', async () => {
    const { one, other } = processes();
    const first = await acquired(one, 'given back');
    expect(first.isHeld).toBe(true);
    expect(await Lease.acquire(other, request('given back'))).toBeNull();
    await assertIn(one, first);
    await first.release();
    expect(first.isHeld).toBe(false);
    expect(first.lost.aborted).toBe(false);
    const second = await acquired(other, 'given back');
    expect(second.epoch).toBeGreaterThan(first.epoch);
    await second.release();
  });

  test('of many that ask at once, one gets it', async () => {
    const { one, other } = processes();
    const asked = await Promise.all(
      Array.from({ length: 20 }, (_, index) => Lease.acquire(index % 2 ? one : other, request('many'))),
    );
    const [winner, ...others] = asked.filter((lease) => lease !== null);
    expect(others).toEqual([]);
    await winner?.release();
  });

  test('who gave no sign of life loses it to the next one, and its transactions are refused', async () => {
    const { one, other } = processes();
    const paused = await acquired(one, 'paused');
    await expire(other, 'paused');
    const next = await acquired(other, 'paused');
    await expect(assertIn(one, paused)).rejects.toMatchObject({ code: 'lease_lost', retryable: true });
    expect(paused.isHeld).toBe(false);
    expect(paused.lost.aborted).toBe(true);
    await assertIn(other, next);
    // Giving back what one no longer has takes nothing from who has it.
    await paused.release();
    await assertIn(other, next);
    await next.release();
  });

  test('who was late but before anybody else goes on', async () => {
    const { one } = processes();
    const late = await acquired(one, 'late');
    await expire(one, 'late');
    await assertIn(one, late);
    await late.release();
  });

  test('it is kept for as long as its holder lives', async () => {
    const { one, other } = processes();
    const lease = await acquired(one, 'kept', 300);
    const until = async (): Promise<bigint> => {
      const [row] = await other.database.select().from(leases).where(eq(leases.name, 'kept'));
      return row?.expiresAt ?? 0n;
    };
    const first = await until();
    // Three times its own length.
    await expect.poll(until, { timeout: 20_000 }).toBeGreaterThan(first + 900_000n);
    expect(await Lease.acquire(other, request('kept'))).toBeNull();
    expect(await Lease.holderOf(other, 'kept')).toMatchObject({ holder: 'a test' });
    await lease.release();
    expect(await Lease.holderOf(other, 'kept')).toBeNull();
  });

  test('who waits gets its turn, or nothing when it stops waiting', async () => {
    const { one, other } = processes();
    const first = await acquired(one, 'turn');
    const stop = new AbortController();
    const waiting = Lease.wait(other, request('turn'), stop.signal);
    stop.abort();
    expect(await waiting).toBeNull();
    const second = Lease.wait(other, request('turn', 300), new AbortController().signal);
    await first.release();
    await (await second)?.release();
  });

  test('what was given away without a word is noticed at the next sign of life', async () => {
    const { one, other } = processes();
    const lease = await acquired(one, 'noticed', 600);
    await other.database.delete(leases).where(eq(leases.name, 'noticed'));
    await expect.poll(() => lease.lost.aborted, { timeout: 20_000 }).toBe(true);
  });
});

describe.skipIf(!hasPostgres())('on a server', () => {
  test('nobody takes a lease while a transaction of its holder is under way, and then sees what that wrote', async () => {
    const postgres = await startPostgres();
    const url = await postgres.createDatabase();
    const [one, other] = [await openTestSql(url), await openTestSql(url)];
    const holder = await acquired(one, 'fence');
    await expire(other, 'fence');
    const next = await transaction(one, async (database) => {
      await holder.assertHeld(database);
      const taking = acquired(other, 'fence').then(async (lease) => {
        expect(await other.database.select().from(apiKeys)).toHaveLength(1);
        return lease;
      });
      await expect
        .poll(() => rows(one.database, sqlText`select 1 from pg_locks where not granted`))
        .toHaveLength(1);
      await database
        .insert(apiKeys)
        .values({ keyId: 'key_1', name: 'n', secretHash: 'h', scopes: [], createdAt: 0n });
      return { taking };
    });
    await expect(assertIn(other, await next.taking)).resolves.toBeUndefined();
    await one.close();
    await other.close();
    await postgres.stop();
  });

  test('a holder that cannot reach the server stops when its time is up, and waits until it is back', async () => {
    const postgres = await startPostgres();
    const sql = await openTestSql(await postgres.createDatabase());
    const lease = await acquired(sql, 'cut off', 1_000);
    await postgres.crash();
    await expect.poll(() => lease.lost.aborted, { timeout: 20_000 }).toBe(true);
    const again = Lease.wait(sql, request('cut off', 1_000), new AbortController().signal);
    await postgres.start();
    const next = await again;
    expect(next?.epoch).toBeGreaterThan(lease.epoch);
    await next?.release();
    await sql.close();
    await postgres.stop();
  });
});
