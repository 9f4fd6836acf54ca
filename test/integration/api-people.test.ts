import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { openApiTestBed, type ApiTestBed } from '../api-test-bed.js';

let bed: ApiTestBed;
beforeAll(async () => {
  bed = await openApiTestBed();
});
afterAll(() => bed.close());

const Erased = z.strictObject({
  erased_values: z.number(),
  erased_quarantined: z.number(),
  erased_webhooks: z.number(),
});
const Listed = z.object({ events: z.array(z.object({ quarantine_id: z.string() })) });
const Posted = z.object({ accepted: z.number(), quarantined: z.number() });

let leads = 0;
const lead = (id: string, email: string, extra: Readonly<Record<string, unknown>> = {}): unknown => ({
  specversion: '1.0',
  id: `evt_${(leads += 1)}`,
  source: '/crm',
  type: 'lead.upserted',
  subject: id,
  time: '2026-05-01T00:00:00Z',
  data: { leadId: id, source: 'web', email, createdAt: '2026-05-01T00:00:00Z' },
  ...extra,
});
const send = async (...sent: unknown[]): Promise<z.infer<typeof Posted>> =>
  (await bed.call({ path: '/v1/events', json: sent })).as(Posted);
const erase = (json: unknown, key?: string) =>
  bed.call({ path: '/v1/people/erase', json, ...(key === undefined ? {} : { key }) });
const isKept = async (value: string): Promise<boolean> => {
  const { vault } = bed.runtime.services.ingest;
  return (await vault.known([vault.token(value)])).size === 1;
};

test('by the record: what is theirs alone is gone, from the vault and from what did not pass; others stay', async () => {
  const answer = await send(
    lead('lead_1', 'ana@example.com'),
    lead('lead_1', 'office@example.com'),
    lead('lead_2', 'office@example.com'),
    // Not accepted, and kept as they were sent.
    lead('lead_1', 'ana@example.com', { time: 'yesterday' }),
    lead('lead_2', 'office@example.com', { time: 'yesterday' }),
  );
  expect(answer).toMatchObject({ accepted: 3, quarantined: 2 });
  expect((await erase({ person: 'lead:lead_1' })).as(Erased)).toEqual({
    erased_values: 1,
    erased_quarantined: 1,
    erased_webhooks: 0,
  });
  expect([await isKept('ana@example.com'), await isKept('office@example.com')]).toEqual([false, true]);
  const { events: left } = (await bed.call({ path: '/v1/quarantine' })).as(Listed);
  const cases = await Promise.all(
    left.map(async ({ quarantine_id: id }) => (await bed.call({ path: `/v1/quarantine/${id}` })).text),
  );
  expect(cases).toEqual([expect.stringContaining('office@example.com')]);
});

test('by a value, though it came in nothing that passed; a second time there is nothing left', async () => {
  const value = 'Éva "E" <eva@example.com>';
  expect(await send(lead('lead_9', value, { time: 'never' }))).toMatchObject({ quarantined: 1 });
  const both = [await erase({ value }), await erase({ value })];
  expect(both.map((answer) => answer.as(Erased).erased_quarantined)).toEqual([1, 0]);
});

test('is on the record, without what was forgotten', async () => {
  await send(lead('lead_4', 'kim@example.com'));
  const admin = await bed.keyWith('admin');
  await erase({ value: 'kim@example.com' }, admin);
  const entry = (await bed.runtime.services.audit.list()).at(-1);
  expect(entry).toMatchObject({ action: 'person.erase', actor: expect.stringMatching(/^key_/) as string });
  expect(JSON.stringify({ ...entry, sequence: 0, at: 0 })).not.toContain('kim@');
});

test.each([
  ['nobody named', {}],
  ['both', { person: 'lead:lead_1', value: 'x' }],
  ['a record without its kind', { person: 'lead_1' }],
  ['an empty value', { value: '' }],
])('%s is refused', async (_what, json) => {
  const answer = await erase(json);
  expect([answer.status, answer.problem().code]).toEqual([400, 'invalid_argument']);
});

test('no scope but admin may', async () => {
  const answer = await erase({ person: 'lead:lead_1' }, await bed.keyWith('quarantine', 'leads:read'));
  expect([answer.status, answer.problem().code]).toEqual([403, 'scope_missing']);
});
