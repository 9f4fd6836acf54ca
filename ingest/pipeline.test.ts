import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventExamples } from '../core/events/examples.js';
import { NOW, openIngestTestBed, type IngestTestBed } from '../test/ingest-services.js';
import { ingestBody, type IngestAnswer } from './pipeline.js';

let bed: IngestTestBed;
beforeAll(async () => {
  bed = await openIngestTestBed({ attributes: ['passport_no'], fields: [] });
});
afterAll(() => bed.close());

const session = eventExamples['session.active'];
const invoice = eventExamples['invoice.finalized'];

function send(body: string | Uint8Array, format: 'json' | 'ndjson' = 'json'): Promise<IngestAnswer> {
  return ingestBody(typeof body === 'string' ? Buffer.from(body) : body, format, bed.services, NOW);
}

async function rowsOf(id: string) {
  return (await bed.rows()).filter((row) => row.id === id);
}

test('one event, an array and NDJSON all come in, in the order sent', async () => {
  const ids = ['s1', 'a1', 'a2', 'n1', 'n2'];
  const [single, first, second, third, fourth] = ids.map((id) => JSON.stringify({ ...session, id }));
  expect((await send(single ?? '')).accepted).toBe(1);
  expect((await send(`[${first ?? ''},\n ${second ?? ''}]`)).accepted).toBe(2);
  expect((await send(`${third ?? ''}\r\n\n${fourth ?? ''}\n`, 'ndjson')).accepted).toBe(2);
  const stored = (await bed.rows()).map((row) => row.id).filter((id) => ids.includes(id));
  expect(stored).toEqual(ids);
});

test('a bad event is named by index and quarantined with its own bytes; its neighbours are in', async () => {
  const bad = `{"specversion":"1.0", "id":"bad" , "source":"docs"}`;
  const answer = await send(
    `[${JSON.stringify({ ...session, id: 'good1' })}, ${bad} ,${JSON.stringify({ ...session, id: 'good2' })}]`,
  );
  expect(answer.results.map(({ status }) => status)).toEqual(['accepted', 'quarantined', 'accepted']);
  const refused = answer.results[1];
  if (refused?.status !== 'quarantined') throw new Error('expected a refusal');
  expect(refused).toMatchObject({ index: 1, id: 'bad', problem: { code: 'missing_field' } });
  const kept = await bed.services.quarantine.get(refused.quarantineId);
  expect(Buffer.from(kept.raw).toString()).toBe(bad);
  expect(await rowsOf('good1')).toHaveLength(1);
  expect(await rowsOf('good2')).toHaveLength(1);
});

test.each([
  ['not JSON', '{"specversion":', 'invalid_json', ''],
  ['not an object', '[5]', 'not_an_object', ''],
  ['a key twice', '[{"a":1,"a":2}]', 'invalid_json', ''],
  ['a field missing', JSON.stringify({ ...session, data: {} }), 'missing_field', 'data.userId'],
  ['a wrong type', JSON.stringify({ ...session, data: { userId: 5 } }), 'wrong_type', 'data.userId'],
  [
    'a float for money',
    JSON.stringify({ ...invoice, data: { ...invoice.data, totalMinor: 12.5 } }),
    'money_not_integer',
    'data.totalMinor',
  ],
  [
    'an unknown currency',
    JSON.stringify({ ...invoice, data: { ...invoice.data, currency: 'EURO' } }),
    'unknown_currency',
    'data.currency',
  ],
  ['an unknown type', JSON.stringify({ ...session, type: 'session.actve' }), 'unknown_type', 'type'],
  [
    'a time in the future',
    JSON.stringify({ ...session, time: '2026-06-01T12:05:01Z' }),
    'time_in_future',
    'time',
  ],
])('%s is quarantined with reason and path, and nothing is stored', async (_, body, reason, path) => {
  const before = (await bed.rows()).length;
  const answer = await send(body);
  expect(answer).toMatchObject({ accepted: 0, quarantined: 1 });
  expect(answer.results[0]).toMatchObject({ problem: { code: reason, path } });
  expect((await bed.rows()).length).toBe(before);
});

test('a line that is not UTF-8 is one bad event', async () => {
  const good = Buffer.from(`${JSON.stringify({ ...session, id: 'utf8' })}\n`);
  const answer = await send(Buffer.concat([good, Buffer.from([0xc3, 0x28, 0x0a]), good]), 'ndjson');
  expect(answer.results.map(({ status }) => status)).toEqual(['accepted', 'quarantined', 'accepted']);
  expect(answer.results[1]).toMatchObject({ problem: { code: 'invalid_utf8' } });
});

test('personal values go to the vault and leave a token behind, in unknown attributes too', async () => {
  const lead = {
    ...eventExamples['lead.upserted'],
    id: 'personal',
    email: 'attribute@example.com',
    data: {
      leadId: 'lead_1',
      createdAt: '2026-01-01T00:00:00Z',
      email: 'ana@example.com',
      attributes: { 'Passport-No': 'X1', size: 5 },
    },
  };
  await send(JSON.stringify(lead));
  const [row] = await rowsOf('personal');
  expect(`${row?.data ?? ''}${row?.extra ?? ''}`).not.toMatch(/example\.com|X1/);
  const tokens = `${row?.data ?? ''}${row?.extra ?? ''}`.match(/tok_[0-9a-f]{32}/g) ?? [];
  const values = await bed.services.vault.read(tokens);
  expect([...values.values()].sort()).toEqual(['X1', 'ana@example.com', 'attribute@example.com']);
  expect(await bed.services.vault.erase({ person: 'lead:lead_1' })).toBe(3);
});

test('an own token stays as it is; a text that only looks like one is tokenised', async () => {
  const own = bed.services.vault.token('bo@example.com');
  const lead = eventExamples['lead.upserted'];
  const withEmail = (id: string, email: string) =>
    JSON.stringify({ ...lead, id, data: { ...lead.data, email } });
  await send(withEmail('first', 'bo@example.com'));
  await send(withEmail('again', own));
  await send(withEmail('forged', `tok_${'0'.repeat(32)}`));
  const email = async (id: string): Promise<unknown> => {
    const [row] = await rowsOf(id);
    return (JSON.parse(row?.data ?? '{}') as { email?: unknown }).email;
  };
  expect(await email('first')).toBe(own);
  expect(await email('again')).toBe(own);
  expect(await email('forged')).not.toBe(`tok_${'0'.repeat(32)}`);
});

test('numbers beyond a double are stored digit for digit', async () => {
  const body = JSON.stringify({ ...eventExamples['usage.recorded'], id: 'exact' }).replace(
    /"quantity":"[^"]*"/,
    '"quantity":123456789012345678.123456789012',
  );
  await send(body);
  expect((await rowsOf('exact'))[0]?.data).toContain('"quantity":"123456789012345678.123456789012"');
});

test('a body, a batch or an event beyond its limit is answered clearly, and the body not at all or whole', async () => {
  const limits = { ...bed.services.limits, bodyBytes: 4_000, batchEvents: 3, eventBytes: 1_000 };
  const small = { ...bed.services, limits };
  const before = (await bed.rows()).length;
  const ask = (body: string) => ingestBody(Buffer.from(body), 'json', small, NOW);
  const event = JSON.stringify(session);
  await expect(ask('x'.repeat(4_001))).rejects.toMatchObject({ code: 'body_too_large', status: 413 });
  await expect(ask(`[${event},${event},${event},${event}]`)).rejects.toMatchObject({
    code: 'batch_too_large',
  });
  await expect(ask(`[${event},${event}`)).rejects.toMatchObject({ code: 'invalid_json' });
  await expect(ask('  ')).rejects.toMatchObject({ code: 'invalid_input' });
  expect((await bed.rows()).length).toBe(before);
  const large = JSON.stringify({ ...session, id: 'large', data: { userId: 'u', note: 'x'.repeat(1_000) } });
  const answer = await ask(`[${event},${large}]`);
  expect(answer.results[1]).toMatchObject({ status: 'quarantined', problem: { code: 'event_too_large' } });
});

test('the same bad event again raises its count instead of filling the quarantine', async () => {
  const bad = '{"id":"again-and-again"}';
  await send(`[${bad},${bad}]`);
  const answer = await send(bad);
  const [refused] = answer.results;
  if (refused?.status !== 'quarantined') throw new Error('expected a refusal');
  expect((await bed.services.quarantine.get(refused.quarantineId)).count).toBe(3);
});

test('when the log cannot take the events, the caller is told and none is accepted', async () => {
  const full = {
    ...bed.services,
    log: { append: () => Promise.reject(new Error('disk full')), close: () => Promise.resolve() },
  };
  const before = (await bed.rows()).length;
  await expect(ingestBody(Buffer.from(JSON.stringify(session)), 'json', full, NOW)).rejects.toThrow(
    'disk full',
  );
  expect((await bed.rows()).length).toBe(before);
});
