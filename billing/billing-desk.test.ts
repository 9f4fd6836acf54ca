import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseInstant } from '../core/time.js';
import type { LocalStripe } from '../fixtures/stripe/local-stripe.js';
import { AuditLog } from '../platform/audit-log.js';
import { SecretText } from '../platform/secrets.js';
import { openPgliteSql } from '../platform/sql/pglite-sql.js';
import type { Sql } from '../platform/sql/sql.js';
import { startTestStripe } from '../test/support/local-stripe.js';
import { openBillingDesk } from './billing-desk.js';

let sql: Sql;
let ours: LocalStripe;
let theirs: LocalStripe;
beforeAll(async () => {
  [ours, theirs] = await Promise.all([
    startTestStripe({ seed: 'ours' }),
    startTestStripe({ seed: 'theirs' }),
  ]);
  sql = await openPgliteSql('memory://');
  await sql.migrate();
});
afterAll(async () => {
  await sql.close();
  await Promise.all([ours.stop(), theirs.stop()]);
});

/** With a live key even to a server of this machine, which a configuration would refuse. */
function open(url: string, key: string, store: Sql = sql) {
  return openBillingDesk({
    config: {
      ...{ secretKey: new SecretText(key), url: new SecretText(url) },
      ...{ timeoutMs: 1_000, concurrency: 1, webhookSecrets: [] },
    },
    sql: store,
    audit: new AuditLog(store),
    clock: () => parseInstant('2026-10-01T00:00:00Z'),
    holder: 'a test',
    onProgress: () => undefined,
    onUnexpected: (error) => {
      throw error;
    },
    signal: new AbortController().signal,
  });
}
/** The same store, as if it were a server with fsync on. */
const durable = (): Sql =>
  new Proxy(sql, {
    get: (one, name): unknown => name === 'survivesPowerCut' || Reflect.get(one, name),
  });
/** Where nobody listens. */
const AWAY = 'http://127.0.0.1:1';

test('a test key opens its account', async () => {
  const { store } = await open(ours.url, 'sk_test_local');
  expect(store.account).toEqual({ mode: 'test', account: expect.stringMatching(/^acct_/) as string });
});

test('a live key does not bill from a store that does not survive a power cut', async () => {
  await expect(open(ours.url, 'sk_live_local')).rejects.toMatchObject({
    code: 'needs_database_url',
    message: expect.stringContaining('DATABASE_URL') as string,
  });
});

test('the first live account is the company’s: another one’s key is refused', async () => {
  const { store } = await open(ours.url, 'sk_live_local', durable());
  expect(store.account.mode).toBe('live');
  await expect(open(theirs.url, 'sk_live_local', durable())).rejects.toMatchObject({
    code: 'invalid_config',
    message: expect.stringContaining('another account') as string,
  });
});

test('while Stripe is away a key that was known opens its account; one that was not does not', async () => {
  const { store } = await open(ours.url, 'sk_test_local');
  expect((await open(AWAY, 'sk_test_local')).store.account).toEqual(store.account);
  await expect(open(AWAY, 'sk_test_new')).rejects.toMatchObject({
    code: 'stripe_unavailable',
    retryable: true,
  });
});
