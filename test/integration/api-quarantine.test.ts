import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { reportConflicts } from '../../ingest/conflicts.js';
import { NOW, openApiTestBed, type ApiTestBed } from '../api-test-bed.js';
import { readAll } from '../read-all.js';

let bed: ApiTestBed;
let operator: string;
beforeAll(async () => {
  bed = await openApiTestBed();
  operator = await bed.keyWith('quarantine');
});
afterAll(() => bed.close());

const event = (
  id: string,
  type = 'session.active',
  data: Readonly<Record<string, unknown>> = { userId: 'u' },
) => ({
  specversion: '1.0',
  id,
  source: 'test',
  type,
  subject: 'org_1',
  time: '2026-05-01T10:00:00Z',
  data,
});

const Listed = z.looseObject({
  quarantine_id: z.string(),
  status: z.string(),
  reason: z.string(),
  path: z.string(),
  count: z.int(),
});
const List = z.object({ events: z.array(Listed), count: z.int(), next_cursor: z.string().nullable() });

const list = async (query = '') =>
  (await bed.call({ path: `/v1/quarantine?${query}`, key: operator })).as(List);

/** Sends one bad event and gives its place in quarantine. */
async function quarantine(body: string): Promise<string> {
  const answer = await bed.call({ path: '/v1/events', body, type: 'application/json' });
  const { results } = answer.as(
    z.looseObject({ results: z.array(z.looseObject({ quarantine_id: z.string() })) }),
  );
  return results[0]?.quarantine_id ?? '';
}

describe('an event that did not pass', () => {
  test('is listed with its reason and field, and shown with its bytes', async () => {
    const raw = JSON.stringify(event('bad', 'session.active', { userId: 7 }));
    const id = await quarantine(raw);
    const [found] = (await list()).events.filter((one) => one.quarantine_id === id);
    expect(found).toMatchObject({ status: 'open', path: 'data.userId', count: 1 });
    expect(found).not.toHaveProperty('raw');
    const shown = await bed.call({ path: `/v1/quarantine/${id}`, key: operator });
    expect(shown.json()).toMatchObject({
      event: { quarantine_id: id },
      problems: [{ path: 'data.userId' }],
      raw: { encoding: 'utf-8', content: raw },
    });
  });

  test('that is no text is shown in base64', async () => {
    const bytes = Buffer.from([0x7b, 0xff, 0xfe, 0x7d]);
    const answer = await bed.call({ path: '/v1/events', body: bytes, type: 'application/json' });
    const { results } = answer.as(
      z.looseObject({ results: z.array(z.looseObject({ quarantine_id: z.string() })) }),
    );
    const shown = await bed.call({
      path: `/v1/quarantine/${results[0]?.quarantine_id ?? ''}`,
      key: operator,
    });
    expect(shown.json()).toMatchObject({ raw: { encoding: 'base64', content: bytes.toString('base64') } });
  });

  test('is fixed by what should have been sent; a bad replacement changes nothing; twice is refused', async () => {
    const id = await quarantine(JSON.stringify(event('fix me', 'session.active', {})));
    const fix = (body: unknown) => bed.call({ path: `/v1/quarantine/${id}/fix`, key: operator, json: body });
    const worse = await fix(event('fix me', 'session.activ'));
    expect([worse.status, worse.problem().code]).toEqual([422, 'invalid_event']);
    expect((await list()).events.map((one) => one.quarantine_id)).toContain(id);
    expect((await fix(event('fix me'))).as(Listed)).toMatchObject({ status: 'fixed' });
    const rows = await bed.runtime.services.warehouse.query(
      `select count(*) as count from raw_installs where id = 'fix me'`,
      {},
      z.object({ count: z.bigint() }),
    );
    expect(rows).toEqual([{ count: 1n }]);
    expect((await fix(event('fix me'))).problem().code).toBe('conflict');
    expect((await list('status=fixed')).events.map((one) => one.quarantine_id)).toContain(id);
  });

  test('is discarded on the record, with who and why', async () => {
    const id = await quarantine('{"nonsense": true}');
    const discarded = await bed.call({
      path: `/v1/quarantine/${id}/discard`,
      key: operator,
      json: { reason: 'a test' },
    });
    expect(discarded.as(Listed).status).toBe('discarded');
    const entries = await bed.runtime.services.audit.list();
    const last = entries.at(-1);
    expect([last?.action, last?.target, last?.actor]).toEqual([
      'quarantine.discard',
      id,
      expect.stringMatching(/^key_/),
    ]);
    expect(last?.details).toContain('a test');
  });

  test('is replayed once the clock is right', async () => {
    await quarantine(JSON.stringify({ ...event('early'), time: '2026-06-01T12:10:00Z' }));
    bed.setClock(NOW + 600n * 1_000_000n);
    const answer = await bed.call({ path: '/v1/quarantine/replay', key: operator, json: {} });
    const { replayed } = answer.as(z.object({ replayed: z.int(), still_open: z.int() }));
    expect(replayed).toBe(1);
    const rows = await bed.runtime.services.warehouse.query(
      `select id from raw_installs where id = 'early'`,
      {},
      z.object({ id: z.string() }),
    );
    expect(rows).toHaveLength(1);
  });

  test('stands once on the pages of the list, however they are cut', async () => {
    for (let index = 0; index < 7; index += 1) await quarantine(`{"page": ${index}}`);
    const { count } = await list();
    for (const limit of [1, 3, 500]) {
      const ids = (await readAll(bed, '/v1/quarantine', 'events', limit)).map((row) => row['quarantine_id']);
      expect([limit, ids.length, new Set(ids).size]).toEqual([limit, count, count]);
    }
    const filtered = await list('reason=invalid_json');
    expect(filtered.events.every(({ reason }) => reason === 'invalid_json')).toBe(true);
  });
});

test('two contents of one identity are a conflict, which somebody decides, and may decide again', async () => {
  for (const userId of ['first', 'other']) {
    await bed.call({ path: '/v1/events', json: event('same', 'session.active', { userId }) });
  }
  const { sql, warehouse } = bed.runtime.services;
  await reportConflicts({ sql, warehouse }, { from: null, to: await warehouse.positions() }, NOW);
  const Conflicts = z.object({
    conflicts: z.array(z.looseObject({ conflict_id: z.string(), event_id: z.string(), status: z.string() })),
    next_cursor: z.string().nullable(),
  });
  const open = (await bed.call({ path: '/v1/quarantine/conflicts?status=open', key: operator })).as(
    Conflicts,
  );
  expect(open.conflicts.map(({ event_id: id }) => id)).toEqual(['same']);
  const id = open.conflicts[0]?.conflict_id ?? '';
  for (const decision of ['other', 'first']) {
    const decided = await bed.call({
      path: `/v1/quarantine/conflicts/${id}/decide`,
      key: operator,
      json: { decision, reason: 'the later one is right' },
    });
    expect(decided.json()).toMatchObject({ conflict_id: id, status: 'decided', decision });
  }
  expect((await bed.call({ path: '/v1/quarantine/conflicts?status=open' })).as(Conflicts).conflicts).toEqual(
    [],
  );
});
