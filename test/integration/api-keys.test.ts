import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { openApiTestBed, type ApiTestBed } from '../api-test-bed.js';
import { readAll } from '../read-all.js';

let bed: ApiTestBed;
beforeAll(async () => {
  bed = await openApiTestBed();
});
afterAll(() => bed.close());

const Created = z.object({
  secret: z.string(),
  key: z.strictObject({
    key_id: z.string(),
    name: z.string(),
    role: z.string().nullable(),
    scopes: z.array(z.string()),
    created_at: z.string(),
    last_used_at: z.string().nullable(),
    revoked_at: z.string().nullable(),
  }),
});

test('a key is shown once, works by its scopes, and is listed without its secret', async () => {
  const made = await bed.call({
    path: '/v1/keys',
    json: { name: 'crm', role: 'sales', scopes: ['partners:read'] },
  });
  expect(made.status).toBe(201);
  const { secret, key } = made.as(Created);
  expect(key).toMatchObject({
    role: 'sales',
    scopes: ['metrics:read', 'leads:read', 'partners:read'],
    revoked_at: null,
  });
  expect((await bed.call({ path: '/v1/metrics', key: secret })).status).toBe(200);
  expect((await bed.call({ path: '/v1/keys', key: secret })).problem().code).toBe('scope_missing');
  const list = await bed.call({ path: '/v1/keys' });
  expect(list.text).toContain(key.key_id);
  expect(list.text).not.toContain(secret);
});

test('keys stand once on the pages of their list, oldest first', async () => {
  for (let count = 0; count < 3; count += 1) await bed.keyWith('ingest');
  const whole = (await readAll(bed, '/v1/keys', 'keys', 1000)).map((key) => key['key_id']);
  expect(whole.length).toBeGreaterThanOrEqual(4);
  expect((await readAll(bed, '/v1/keys', 'keys', 1)).map((key) => key['key_id'])).toEqual(whole);
  expect([...whole].sort()).toEqual(whole);
});

test('making and revoking a key is on the record, by whom', async () => {
  const admin = await bed.keyWith('admin');
  const { key } = (await bed.call({ path: '/v1/keys', key: admin, json: { name: 'x', role: 'finance' } })).as(
    Created,
  );
  await bed.call({ method: 'DELETE', path: `/v1/keys/${key.key_id}`, key: admin });
  const entries = (await bed.runtime.services.audit.list()).filter(({ target }) => target === key.key_id);
  expect(entries.map(({ action }) => action)).toEqual(['key.create', 'key.revoke']);
  const [adminId] = new Set(entries.map(({ actor }) => actor));
  expect(adminId).toMatch(/^key_/);
});
