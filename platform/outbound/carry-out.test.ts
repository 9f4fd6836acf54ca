import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type Stripe from 'stripe';
import type { LocalStripe } from '../../fixtures/stripe/local-stripe.js';
import { sdkFor, startTestStripe } from '../../test/support/local-stripe.js';
import { stepping } from '../../test/support/stepping.js';
import { MICROS_PER_SECOND, parseInstant, type Instant } from '../../core/time.js';
import { SecretText } from '../secrets.js';
import { openPgliteSql } from '../sql/pglite-sql.js';
import { transaction, type Sql } from '../sql/sql.js';
import { carryOut, idempotencyKeyOf, KEY_TRUSTED_FOR, type CarryOutDeps } from './carry-out.js';
import { INTENT_MARK, intentIdOf, type Intent, type IntentKind, type RequestParameters } from './intent.js';
import { IntentStore, type KeptIntent } from './intent-store.js';
import { accountOf, stripeClient } from './stripe/stripe-client.js';
import { StripeSide } from './stripe/stripe-side.js';
import { sha256 } from '../sha256.js';

const NOW = parseInstant('2026-10-01T00:00:00Z');
const PERIOD = { start: parseInstant('2026-09-01T00:00:00Z'), end: NOW };
const DAY_SECONDS = 86_400;
const ITEMS = 3;

class Killed extends Error {}

let server: LocalStripe;
let stripe: Stripe;
let sql: Sql;
let store: IntentStore;
let now: Instant;
let customer: string;
let groups = 0;
let groupId: string;

beforeAll(async () => {
  server = await startTestStripe();
  stripe = sdkFor(server.url, server.secretKey);
  sql = await openPgliteSql('memory://');
  await sql.migrate();
  store = new IntentStore(sql);
});
afterAll(async () => {
  await sql.close();
  await server.stop();
});
beforeEach(async () => {
  server.faults.clear();
  now = NOW;
  groupId = `group_${(groups += 1)}`;
  ({ id: customer } = await stripe.customers.create({ name: 'An org' }));
  await transaction(sql, (database) => store.add(database, groupId, invoiceOf(customer), NOW));
});

/** An invoice of our own with three items, finalized: five writes. */
function invoiceOf(customerId: string): Intent[] {
  const intent = (
    kind: IntentKind,
    sequence: number,
    path: string,
    {
      on = null,
      onParameter = null,
      ...parameters
    }: { on?: string | null; onParameter?: string | null } & {
      [name: string]: unknown;
    },
  ): Intent => {
    const purpose = {
      ...{ account: 'acct_1', mode: 'test' as const, scope: groupId, meter: null, period: PERIOD },
      ...{ kind, sequence },
    };
    const intentId = intentIdOf(purpose, sha256);
    const marked = { ...(parameters as RequestParameters), metadata: { [INTENT_MARK]: intentId } };
    const request = {
      path,
      on,
      onParameter,
      parameters: kind === 'finalize' ? { auto_advance: true } : marked,
    };
    return { intentId, purpose, request };
  };
  const invoice = intent('invoice', 1, '/v1/invoices', {
    customer: customerId,
    currency: 'usd',
    auto_advance: false,
    pending_invoice_items_behavior: 'exclude',
  });
  const on = invoice.intentId;
  const items = Array.from({ length: ITEMS }, (_, index) =>
    intent('invoice_item', index + 1, '/v1/invoiceitems', {
      ...{ on, onParameter: 'invoice', customer: customerId, currency: 'usd' },
      amount: 1_000 + index,
    }),
  );
  return [invoice, ...items, intent('finalize', 1, '/v1/invoices/:on/finalize', { on })];
}

/** @param step told before and after each call to the other side and each commit; may throw to kill the run there */
function deps(step: (name: string) => void = () => undefined): CarryOutDeps {
  const side = stepping(
    new StripeSide(
      stripeClient({
        secretKey: new SecretText(server.secretKey),
        url: new SecretText(server.url),
        timeoutMs: 400,
      }),
    ),
    ['send', 'find'],
    step,
  );
  return {
    side,
    store: stepping(store, ['begin', 'distrustKey', 'settle', 'stop'], step),
    clock: () => now,
    assertHeld: () => Promise.resolve(),
    // Long enough for a request that is under way to end.
    wait: (ms) => delay(Math.min(ms, 300)),
  };
}

async function finish(): Promise<KeptIntent[]> {
  for (let run = 0; run < 5; run += 1) {
    try {
      const { stoppedBy } = await carryOut(groupId, deps());
      if (stoppedBy !== null) throw new Error(stoppedBy.problem?.message);
      return await store.ofGroup(groupId);
    } catch (error) {
      if ((error as { retryable?: boolean }).retryable !== true) throw error;
    }
  }
  throw new Error('it does not come to its end');
}

/** One final invoice with one line for each item intent, of its amount; each intent knows its object. */
async function expectBilledOnce(): Promise<void> {
  const intents = await store.ofGroup(groupId);
  expect(intents.map(({ state }) => state)).toEqual(intents.map(() => 'done'));
  const { data: invoices } = await stripe.invoices.list({ customer, limit: 100 });
  expect(invoices.map(({ status, total }) => ({ status, total }))).toEqual([
    { status: 'open', total: 3_003 },
  ]);
  const { data: items } = await stripe.invoiceItems.list({ customer, limit: 100 });
  const made = items.map(({ id, amount, metadata }) => [metadata?.[INTENT_MARK], id, BigInt(amount)]).sort();
  const meant = intents
    .filter(({ purpose }) => purpose.kind === 'invoice_item')
    .map(({ intentId, object }) => [intentId, object?.objectId, object?.amountMinor])
    .sort();
  expect(made).toEqual(meant);
  expect(intents.at(-1)?.object).toMatchObject({
    objectId: invoices[0]?.id,
    status: 'open',
    amountMinor: 3_003n,
  });
}

const requestsSince = (mark: number) => server.requests().slice(mark);

test('an invoice, its items and its end: five writes, each under a key of its own', async () => {
  const mark = server.requests().length;
  await carryOut(groupId, deps());
  await expectBilledOnce();
  const sent = requestsSince(mark).filter(({ method }) => method === 'POST');
  const intents = await store.ofGroup(groupId);
  expect(sent.map(({ idempotencyKey }) => idempotencyKey)).toEqual(intents.map(({ intentId }) => intentId));
});

test('a second time sends nothing', async () => {
  await carryOut(groupId, deps());
  const mark = server.requests().length;
  await carryOut(groupId, deps());
  expect(requestsSince(mark)).toEqual([]);
});

/** How many places there are to be killed at. */
async function stepsOf(): Promise<string[]> {
  const names: string[] = [];
  await carryOut(
    groupId,
    deps((name) => names.push(name)),
  );
  return names;
}

describe('killed before or after any call and any commit', () => {
  // begin, send, settle; each before and after; for each of five writes.
  const PLACES = 5 * 3 * 2;
  const places = Array.from({ length: PLACES }, (_, index) => index);

  test('these are all the places', async () => {
    const names = await stepsOf();
    expect(names).toHaveLength(PLACES);
    expect(new Set(names)).toEqual(
      new Set(['begin', 'send', 'settle'].flatMap((name) => [`before ${name}`, `after ${name}`])),
    );
  });

  async function killAt(place: number): Promise<void> {
    let steps = 0;
    const killed = carryOut(
      groupId,
      deps(() => {
        if (steps === place) throw new Killed();
        steps += 1;
      }),
    );
    await expect(killed).rejects.toThrow(Killed);
  }

  test.each(places)('and started again at once, at place %i', async (place) => {
    await killAt(place);
    await finish();
    await expectBilledOnce();
  });

  test.each(places)('and started again when Stripe has forgotten all keys, at place %i', async (place) => {
    await killAt(place);
    now += BigInt(DAY_SECONDS + 60) * MICROS_PER_SECOND;
    server.clock.advance(DAY_SECONDS + 60);
    await finish();
    await expectBilledOnce();
  });
});

describe.each(['/v1/invoices', '/v1/invoiceitems', '/v1/invoices/*/finalize'])(
  'what goes wrong on POST %s',
  (path) => {
    // The SDK asks once more by itself on a connection that is cut on it.
    test.each([
      { kind: 'lose_response' as const, times: 2 },
      { kind: 'fail_before' as const, times: 2 },
      { kind: 'error_500' as const, times: 1 },
      { kind: 'error_500_after' as const, times: 1 },
      { kind: 'timeout' as const, times: 1, ms: 800 },
      { kind: 'delay' as const, times: 1, ms: 800 },
      { kind: 'rate_limit' as const, times: 2, retryAfter: 0 },
      { kind: 'lose_response' as const, times: 20 },
      { kind: 'error_500' as const, times: 10 },
    ])('$kind, $times times: billed once', async (fault) => {
      server.faults.add({ ...fault, method: 'POST', path });
      await finish();
      await expectBilledOnce();
    });
  },
);

test('a 500 that the key repeats for ever is looked behind: what it had done is adopted', async () => {
  server.faults.add({ kind: 'error_500_after', method: 'POST', path: '/v1/invoices' });
  const mark = server.requests().length;
  const [invoice] = await finish();
  expect(invoice).toMatchObject({ state: 'done', attempt: 1 });
  const lists = requestsSince(mark).filter(({ method, path }) => method === 'GET' && path === '/v1/invoices');
  expect(lists).toHaveLength(1);
});

test('what was turned down says why, stops what comes after it, and is tried anew under the next key', async () => {
  await stripe.customers.del(customer);
  const { intents, stoppedBy } = await carryOut(groupId, deps());
  expect(intents).toHaveLength(1);
  expect(stoppedBy).toMatchObject({ state: 'refused', problem: { code: 'resource_missing' } });
  expect(stoppedBy?.problem?.message).toContain(customer);
  const again = await carryOut(groupId, deps());
  expect(again.stoppedBy).toMatchObject({ state: 'refused', attempt: 2 });
});

test('found twice, it is put in quarantine and named, and nothing is sent on top', async () => {
  const [invoice] = await store.ofGroup(groupId);
  if (invoice === undefined) throw new Error('there is an invoice to make');
  const twice = { customer, currency: 'usd', metadata: { [INTENT_MARK]: invoice.intentId } };
  const ids = [await stripe.invoices.create(twice), await stripe.invoices.create(twice)].map(({ id }) => id);
  await store.begin(invoice, now);
  now += KEY_TRUSTED_FOR;
  const mark = server.requests().length;
  const { stoppedBy } = await carryOut(groupId, deps());
  expect(stoppedBy).toMatchObject({ state: 'quarantined', problem: { code: 'duplicate' } });
  for (const id of ids) expect(stoppedBy?.problem?.message).toContain(id);
  await carryOut(groupId, deps());
  expect(requestsSince(mark).filter(({ method }) => method === 'POST')).toEqual([]);
  // Somebody deletes one of them: the other is adopted, and all goes on.
  await stripe.invoices.del(ids[0] ?? '');
  await finish();
  await expectBilledOnce();
});

test('a key that was revoked stops everything, changes nothing, and the next key goes on', async () => {
  const revoked = 'sk_test_local_revoked';
  const other = stripeClient({
    secretKey: new SecretText(revoked),
    url: new SecretText(server.url),
    timeoutMs: 400,
  });
  const before = await store.ofGroup(groupId);
  await expect(carryOut(groupId, { ...deps(), side: new StripeSide(other) })).rejects.toMatchObject({
    code: 'stripe_key_refused',
    retryable: false,
  });
  expect((await store.ofGroup(groupId)).slice(1)).toEqual(before.slice(1));
  await finish();
  await expectBilledOnce();
});

test('two runners at once, without any lease: billed once, and the slower one is told', async () => {
  const runs = await Promise.allSettled([carryOut(groupId, deps()), carryOut(groupId, deps())]);
  for (const run of runs) {
    if (run.status === 'rejected') expect(run.reason).toMatchObject({ retryable: true });
  }
  await finish();
  await expectBilledOnce();
});

test('who lost the lease sends nothing more', async () => {
  let asked = 0;
  const lost = carryOut(groupId, {
    ...deps(),
    assertHeld: () => ((asked += 1) === 3 ? Promise.reject(new Killed()) : Promise.resolve()),
  });
  await expect(lost).rejects.toThrow(Killed);
  expect((await stripe.invoiceItems.list({ customer })).data).toHaveLength(1);
  await finish();
  await expectBilledOnce();
});

test('the same purpose with another request is refused, and the first one stays', async () => {
  const [first, ...rest] = invoiceOf(customer);
  if (first === undefined) throw new Error('there is an invoice to make');
  const other = { ...first, request: { ...first.request, parameters: { customer: 'cus_other' } } };
  await expect(
    transaction(sql, (database) => store.add(database, groupId, [other, ...rest], NOW)),
  ).rejects.toThrow(first.intentId);
  await transaction(sql, (database) => store.add(database, groupId, [first, ...rest], NOW));
  await finish();
  await expectBilledOnce();
});

test('keys name the attempt from the second on', async () => {
  const [first] = await store.ofGroup(groupId);
  if (first === undefined) throw new Error('there is an intent');
  expect(idempotencyKeyOf({ ...first, attempt: 1 })).toBe(first.intentId);
  expect(idempotencyKeyOf({ ...first, attempt: 3 })).toBe(`${first.intentId}.3`);
});

test('a purpose is the same write whatever it is worth, and another in another mode, period or sequence', () => {
  const purpose = {
    ...{ account: 'acct_1', mode: 'test' as const, kind: 'invoice_item' as const, scope: 'org_1/sub_1' },
    ...{ meter: 'ai_operations', period: PERIOD, sequence: 1 },
  };
  const others = [
    { account: 'acct_2' },
    { mode: 'live' as const },
    { kind: 'invoice' as const },
    { scope: 'org_1/sub_2' },
    { meter: null },
    { period: { ...PERIOD, end: PERIOD.end + 1n } },
    { sequence: 2 },
  ].map((change) => intentIdOf({ ...purpose, ...change }, sha256));
  const all = [intentIdOf(purpose, sha256), ...others];
  expect(new Set(all).size).toBe(all.length);
  expect(intentIdOf({ ...purpose }, sha256)).toBe(all[0]);
});

test('whose key it is, and of which mode', async () => {
  const ask = (key: string) => {
    const secretKey = new SecretText(key);
    return accountOf(stripeClient({ secretKey, url: new SecretText(server.url), timeoutMs: 400 }), secretKey);
  };
  const mine = await ask(server.secretKey);
  expect(mine).toMatchObject({ mode: 'test', account: expect.stringMatching(/^acct_/) as string });
  expect(await ask('sk_live_local')).toEqual({ ...mine, mode: 'live' });
  await expect(ask('sk_test_wrong')).rejects.toMatchObject({ code: 'stripe_key_refused' });
});
