import { eq, sql as sqlText } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPgliteSql } from '../platform/sql/pglite-sql.js';
import { idempotencyKeys } from '../platform/sql/schema.js';
import type { Sql } from '../platform/sql/sql.js';
import { answerOnce } from './idempotency.js';

let sql: Sql;
beforeAll(async () => {
  sql = await openPgliteSql('memory://');
  await sql.migrate();
});
afterAll(() => sql.close());

let calls = 0;
const work = (): Promise<{ status: number; answer: string }> => {
  calls += 1;
  return Promise.resolve({ status: 202, answer: `call ${calls}` });
};
const ask = (key: string, body: string, scope = 'key_1') =>
  answerOnce(sql, { scope, key, body: Buffer.from(body) }, work);
/** As if so much time had passed for one key. */
const age = (key: string, seconds: number) =>
  sql.database
    .update(idempotencyKeys)
    .set({ expiresAt: sqlText`expires_at - make_interval(secs => ${seconds})` })
    .where(eq(idempotencyKeys.key, key));

test('the same key and body get the first answer again, and the work is done once', async () => {
  calls = 0;
  expect(await ask('a', 'body')).toEqual({ status: 202, answer: 'call 1' });
  expect(await ask('a', 'body')).toEqual({ status: 202, answer: 'call 1' });
  expect(calls).toBe(1);
});

test('the same key with another body is refused; for another caller it is another key', async () => {
  await expect(ask('a', 'other body')).rejects.toMatchObject({ code: 'idempotency_key_reused', status: 422 });
  expect(await ask('a', 'other body', 'key_2')).toMatchObject({ status: 202 });
});

test('while the first is under way, a second is told to wait', async () => {
  let finish: () => void = () => undefined;
  const slow = answerOnce(
    sql,
    { scope: 'key_1', key: 'slow', body: Buffer.from('x') },
    () =>
      new Promise((resolve) => {
        finish = () => {
          resolve({ status: 202, answer: 'slow' });
        };
      }),
  );
  await expect
    .poll(() => ask('slow', 'x').catch((error: unknown) => error))
    .toMatchObject({ code: 'conflict' });
  finish();
  expect(await slow).toEqual({ status: 202, answer: 'slow' });
});

test('work that fails, or dies with its process, can be done again', async () => {
  const failing = answerOnce(sql, { scope: 'k', key: 'f', body: Buffer.from('x') }, () =>
    Promise.reject(new Error('disk full')),
  );
  await expect(failing).rejects.toThrow('disk full');
  expect(await ask('f', 'x', 'k')).toMatchObject({ status: 202 });

  void answerOnce(
    sql,
    { scope: 'k', key: 'killed', body: Buffer.from('x') },
    () => new Promise(() => undefined),
  );
  await expect
    .poll(() => ask('killed', 'x', 'k').catch((error: unknown) => error))
    .toMatchObject({ code: 'conflict' });
  await age('killed', 59);
  await expect(ask('killed', 'x', 'k')).rejects.toMatchObject({ code: 'conflict' });
  await age('killed', 2);
  expect(await ask('killed', 'x', 'k')).toMatchObject({ status: 202 });
});

test('work that was taken for dead leaves the answer of the work that took its place', async () => {
  const request = { scope: 'k', key: 'paused', body: Buffer.from('x') };
  let finish: () => void = () => undefined;
  const paused = answerOnce(
    sql,
    request,
    () =>
      new Promise((resolve) => {
        finish = () => {
          resolve({ status: 202, answer: 'late' });
        };
      }),
  );
  await expect
    .poll(() => ask('paused', 'x', 'k').catch((error: unknown) => error))
    .toMatchObject({ code: 'conflict' });
  await age('paused', 61);
  const second = await ask('paused', 'x', 'k');
  finish();
  await paused;
  expect(await ask('paused', 'x', 'k')).toEqual(second);
});

test('an answer is kept for a day', async () => {
  calls = 0;
  await ask('day', 'x');
  await age('day', 86_000);
  await ask('day', 'x');
  expect(calls).toBe(1);
  await age('day', 500);
  await ask('day', 'x');
  expect(calls).toBe(2);
});

test('a key must be something that fits a header', async () => {
  await expect(ask('', 'x')).rejects.toMatchObject({ code: 'invalid_argument' });
  await expect(ask('a b', 'x')).rejects.toMatchObject({ code: 'invalid_argument' });
});
