import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseInstant } from '../../../core/time.js';
import { SecretText } from '../../secrets.js';
import { openPgliteSql } from '../../sql/pglite-sql.js';
import type { Sql } from '../../sql/sql.js';
import { BACK_OFF_SECONDS, deliverDue, type DeliveryDeps } from './deliver.js';
import { enterMessage, readMessages, takeMessage } from './message-store.js';
import { signedHeaders } from './signature.js';

const NOW = parseInstant('2026-06-01T12:00:00Z');
const SECRET = `whsec_${Buffer.from('a secret of thirty-two bytes, ok').toString('base64')}`;
const NEXT = `whsec_${Buffer.from('another one of thirty-two bytes.').toString('base64')}`;
const MESSAGE = { messageId: 'msg_1', type: 'usage.threshold', payload: '{"a":1}' };

let sql: Sql;
let now: bigint;
let requests: { headers: Record<string, string>; body: string; redirect: string | undefined }[];
let answers: (number | 'unreachable')[];
beforeEach(async () => {
  sql = await openPgliteSql('memory://');
  await sql.migrate();
  now = NOW;
  requests = [];
  answers = [];
  await sql.database.transaction((database) => enterMessage(database, MESSAGE, { now, isSent: true }));
});
afterEach(() => sql.close());

const endpoint = {
  url: new SecretText('https://example.com/hook?token=hidden'),
  secrets: [new SecretText(SECRET), new SecretText(NEXT)],
  timeoutMs: 10_000,
};
/** What a receiver does: any of the signatures by its secret will do. */
function isSignedBy(
  headers: Readonly<Record<string, string | undefined>>,
  payload: string,
  secret: string,
): boolean {
  const signed = `${headers['webhook-id'] ?? ''}.${headers['webhook-timestamp'] ?? ''}.${payload}`;
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const wanted = `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
  return (headers['webhook-signature'] ?? '').split(' ').includes(wanted);
}

const deps = (): DeliveryDeps => ({
  sql,
  endpoint,
  clock: () => now,
  signal: new AbortController().signal,
  fetch: (_, init = {}) => {
    const answer = answers.shift() ?? 200;
    const headers = Object.fromEntries(new Headers(init.headers).entries());
    requests.push({ headers, body: typeof init.body === 'string' ? init.body : '', redirect: init.redirect });
    if (answer === 'unreachable') return Promise.reject(new TypeError('fetch failed'));
    return Promise.resolve(new Response(null, { status: answer }));
  },
});
const stored = async () => (await readMessages(sql, ['msg_1'])).get('msg_1');

test('a delivered message is signed by each secret, and goes once', async () => {
  expect(await deliverDue(deps())).toBe(1);
  expect(await deliverDue(deps())).toBe(0);
  const [request] = requests;
  // By the scheme's own words: base64 of HMAC-SHA256 over id, timestamp and body with dots between.
  const byHand = createHmac('sha256', 'a secret of thirty-two bytes, ok')
    .update('msg_1.1780315200.{"a":1}')
    .digest('base64');
  expect(request?.headers['webhook-id']).toBe('msg_1');
  expect(request?.headers['webhook-timestamp']).toBe('1780315200');
  expect(request?.headers['webhook-signature']?.split(' ')[0]).toBe(`v1,${byHand}`);
  expect(request?.body).toBe('{"a":1}');
  expect(isSignedBy(request?.headers ?? {}, '{"a":1}', NEXT)).toBe(true);
  expect(isSignedBy(request?.headers ?? {}, '{"a":2}', NEXT)).toBe(false);
  expect(await stored()).toMatchObject({
    state: 'delivered',
    attempts: 1,
    lastStatus: 200,
    deliveredAt: NOW,
  });
});

test('a refusal, a redirect and silence are tried again later and later, under the same id', async () => {
  answers = [500, 302, 'unreachable', 200];
  for (const wait of [5n, 30n, 120n]) {
    await deliverDue(deps());
    now += wait * 1_000_000n - 1n;
    expect(await deliverDue(deps())).toBe(0);
    now += 1n;
  }
  expect(await deliverDue(deps())).toBe(1);
  expect(requests.map(({ headers }) => headers['webhook-id'])).toEqual(Array(4).fill('msg_1'));
  expect(requests.every(({ redirect }) => redirect === 'manual')).toBe(true);
  expect(await stored()).toMatchObject({ state: 'delivered', attempts: 4 });
});

test('after the last attempt it is given up, with the reason, and no secret in it', async () => {
  answers = Array<'unreachable'>(20).fill('unreachable');
  for (const wait of [...BACK_OFF_SECONDS, 0n]) {
    await deliverDue(deps());
    now += wait * 1_000_000n;
  }
  const message = await stored();
  expect(message).toMatchObject({ state: 'given_up', attempts: 9, lastStatus: null });
  expect(JSON.stringify(message, (_, part: unknown) => (typeof part === 'bigint' ? 0 : part))).not.toContain(
    'hidden',
  );
  expect(await deliverDue(deps())).toBe(0);
});

test('one that a process took and died with goes again when its time is up', async () => {
  const message = await stored();
  if (message === undefined) throw new Error('entered');
  const lease = { now, leaseUntil: now + 20_000_000n };
  expect(await takeMessage(sql, message, lease)).toBe(true);
  // A second runner that read the same row takes nothing.
  expect(await takeMessage(sql, message, lease)).toBe(false);
  expect(await deliverDue(deps())).toBe(0);
  now += 20_000_000n;
  expect(await deliverDue(deps())).toBe(1);
});

test('a signature holds for its message, its time and its body alone', () => {
  const headers = signedHeaders(MESSAGE, [SECRET], NOW);
  expect(isSignedBy(headers, MESSAGE.payload, SECRET)).toBe(true);
  expect(isSignedBy({ ...headers, 'webhook-id': 'msg_2' }, MESSAGE.payload, SECRET)).toBe(false);
  expect(isSignedBy({ ...headers, 'webhook-timestamp': '1' }, MESSAGE.payload, SECRET)).toBe(false);
  expect(isSignedBy(headers, MESSAGE.payload, NEXT)).toBe(false);
  expect(isSignedBy({}, MESSAGE.payload, SECRET)).toBe(false);
});
