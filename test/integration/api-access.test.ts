import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Operation } from '../../api/operation.js';
import { operations } from '../../api/operations.js';
import { FIXED_SCOPES, type Scope } from '../../platform/key-scopes.js';
import { openApiTestBed, type ApiTestBed, type Call } from '../api-test-bed.js';

let bed: ApiTestBed;
beforeAll(async () => {
  bed = await openApiTestBed();
});
afterAll(() => bed.close());

/** A request that finds the route; whether its arguments make sense is of no matter before the key is known. */
function callOf({ method, path, rawBody, body }: Operation): Call {
  const [type] = rawBody?.mediaTypes ?? ['application/json'];
  const hasBody = rawBody !== undefined || body !== undefined;
  return {
    method: method.toUpperCase(),
    path: path.replaceAll(/\{\w+\}/g, 'x1'),
    ...(hasBody ? { body: '{}', type: type ?? 'application/json' } : {}),
  };
}

const title = ({ method, path }: Operation) => `${method.toUpperCase()} ${path}`;
const withKey = operations.filter(({ scopes }) => scopes !== null).map((one) => [title(one), one] as const);
const withScope = withKey.filter(([, { scopes }]) => scopes !== null && scopes.length > 0);

test('health, readiness and what is signed answer without a key, and no other operation does', async () => {
  const open = operations.filter(({ scopes }) => scopes === null);
  expect(open.map(({ path }) => path)).toEqual(['/webhooks/stripe', '/healthz', '/readyz']);
  // Without a signature a webhook is refused before anything of it is read; here none is set up at all.
  const unsigned = { path: '/webhooks/stripe', key: null, json: {} };
  expect((await bed.call(unsigned)).status).toBe(404);
  for (const path of ['/healthz', '/readyz', '/openapi.json', '/docs', '/docs/rapidoc.js']) {
    expect((await bed.call({ path, key: null })).status).toBe(200);
  }
});

describe('without a key that is known', () => {
  test.each(withKey)('%s is 401', async (_title, operation) => {
    const missing = await bed.call({ ...callOf(operation), key: null });
    expect(missing.status).toBe(401);
    expect(missing.problem().code).toBe('key_missing');
    expect(missing.headers.get('www-authenticate')).toBe('Bearer');
    for (const key of ['hg_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'x', 'hg_ ', `hg_${'a'.repeat(300)}`]) {
      const wrong = await bed.call({ ...callOf(operation), key });
      expect(wrong.status).toBe(401);
      expect(wrong.problem().code).toBe('key_invalid');
    }
  });

  test('a revoked key is 401 everywhere from the next request on', async () => {
    const { keys } = bed.runtime.services;
    const { key, secret } = await keys.create(
      { name: 'gone', role: 'admin' },
      'test',
      bed.runtime.services.clock(),
    );
    expect((await bed.call({ path: '/v1/keys', key: secret })).status).toBe(200);
    expect((await bed.call({ method: 'DELETE', path: `/v1/keys/${key.keyId}` })).status).toBe(200);
    for (const [, operation] of withKey) {
      const answer = await bed.call({ ...callOf(operation), key: secret });
      expect([answer.status, answer.problem().code]).toEqual([401, 'key_revoked']);
    }
  });

  test('another scheme than Bearer is not a key', async () => {
    const { localToken } = bed.runtime.services;
    for (const authorization of [localToken, `Basic ${localToken}`, `bearer ${localToken}`, 'Bearer']) {
      const answer = await bed.call({ path: '/v1/metrics', key: null, headers: { authorization } });
      expect([authorization, answer.status]).toEqual([authorization, 401]);
    }
  });
});

describe('with a key that lacks a scope', () => {
  test.each(withScope)(
    '%s is 403, whichever of its scopes is the one that lacks',
    async (_title, operation) => {
      const needed = operation.scopes ?? [];
      for (const lacking of needed) {
        const others = FIXED_SCOPES.filter((scope) => scope !== lacking && scope !== 'admin');
        const key = await bed.keyWith(...others, 'partner:p1');
        const answer = await bed.call({ ...callOf(operation), key });
        expect(answer.status).toBe(403);
        expect(answer.problem()).toMatchObject({ code: 'scope_missing', details: { needed: [...needed] } });
      }
    },
  );

  test.each(withScope)('%s lets a key through that has just its scopes', async (_title, operation) => {
    const key = await bed.keyWith(...(operation.scopes ?? []));
    const { status } = await bed.call({
      ...callOf(operation),
      key,
      ...(operation.method === 'get' ? {} : { body: 'x' }),
    });
    expect([401, 403]).not.toContain(status);
  });

  test('a key that only puts in reads nothing but the schemas', async () => {
    const key = await bed.keyWith('ingest');
    const open = [];
    for (const operation of operations.filter(({ method }) => method === 'get')) {
      const { status } = await bed.call({ ...callOf(operation), key });
      if (status !== 403) open.push(operation.path);
    }
    expect(open).toEqual(['/v1/schemas', '/v1/schemas/{type}', '/healthz', '/readyz']);
  });
});

describe('every operation', () => {
  // What a drill takes depends on its metric; api-metrics.test.ts holds it to that.
  const strict = operations.filter(({ path }) => !path.endsWith('/drill'));
  test.each(strict.map((one) => [title(one), one] as const))(
    '%s refuses a query parameter that it would not read',
    async (_title, operation) => {
      const call = callOf(operation);
      const answer = await bed.call({ ...call, path: `${call.path}?unknown_parameter=1` });
      expect(answer.status).toBe(400);
      expect(answer.problem().code).toBe('invalid_argument');
    },
  );

  test('gives each answer an id, its own or the harmless one that was sent', async () => {
    const [a, b] = [await bed.call({ path: '/v1/metrics' }), await bed.call({ path: '/nowhere' })];
    expect(a.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(b.problem().request_id).toBe(b.headers.get('x-request-id'));
    const sent = await bed.call({ path: '/nowhere', headers: { 'x-request-id': 'trace-7.a_B' } });
    expect(sent.headers.get('x-request-id')).toBe('trace-7.a_B');
    const bad = await bed.call({ path: '/nowhere', headers: { 'x-request-id': 'a b"<x>' } });
    expect(bad.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

test('a key that asks too often is told when to come back', async () => {
  const limited = await openApiTestBed({ HEADGATE_RATE_LIMIT_PER_SECOND: '3' });
  try {
    const key = await limited.keyWith('metrics:read');
    const statuses = [];
    for (let count = 0; count < 4; count += 1) {
      const answer = await limited.call({ path: '/v1/metrics', key });
      statuses.push(answer.status);
      if (answer.status === 429) {
        expect(answer.problem()).toMatchObject({ code: 'rate_limited', retryable: true });
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      }
    }
    expect(statuses).toEqual([200, 200, 200, 429]);
  } finally {
    await limited.close();
  }
});

test('scopes of operations are scopes that keys can have', () => {
  const known = new Set<Scope>(FIXED_SCOPES);
  expect(operations.flatMap(({ scopes }) => scopes ?? []).filter((scope) => !known.has(scope))).toEqual([]);
});
