import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { STREAMS } from '../../core/raw-event.js';
import { idempotencyKeys } from '../../platform/sql/schema.js';
import { openApiTestBed, type ApiTestBed } from '../api-test-bed.js';

let bed: ApiTestBed;
let key: string;
beforeAll(async () => {
  bed = await openApiTestBed({ HEADGATE_MAX_BATCH_EVENTS: '50', HEADGATE_MAX_EVENT_BYTES: '4096' });
  key = await bed.keyWith('ingest');
});
afterAll(() => bed.close());

const event = (id: string, data: Readonly<Record<string, unknown>> = {}) => ({
  specversion: '1.0',
  id,
  source: 'test',
  type: 'session.active',
  subject: 'org_1',
  time: '2026-05-01T10:00:00Z',
  data: { userId: 'u_1', ...data },
});

const Ingested = z.object({
  accepted: z.int(),
  quarantined: z.int(),
  results: z.array(
    z.object({
      index: z.int(),
      status: z.enum(['accepted', 'quarantined']),
      id: z.string().nullable(),
      quarantine_id: z.string().optional(),
      problem: z.object({ path: z.string(), code: z.string(), message: z.string() }).optional(),
    }),
  ),
});
const IdRow = z.object({ id: z.string() });

/** Ids in the raw tables, in log order. */
async function storedIds(): Promise<string[]> {
  const all = STREAMS.map((stream) => `select id, log_offset from raw_${stream}`).join(' union all ');
  const rows = await bed.runtime.services.warehouse.query(
    `select id from (${all}) order by log_offset`,
    {},
    IdRow,
  );
  return rows.map(({ id }) => id);
}

const BATCH = 'application/cloudevents-batch+json';
const NDJSON = 'application/x-ndjson';

describe('events come in', () => {
  test('one at a time, as an array and as lines; what is accepted is in the log when the answer goes out', async () => {
    const one = await bed.call({ path: '/v1/events', key, json: event('one') });
    expect(one.as(Ingested)).toEqual({
      accepted: 1,
      quarantined: 0,
      results: [{ index: 0, status: 'accepted', id: 'one' }],
    });
    const array = JSON.stringify([event('two'), event('three')]);
    expect(
      (await bed.call({ path: '/v1/events', key, body: array, type: BATCH })).as(Ingested).accepted,
    ).toBe(2);
    const lines = `${JSON.stringify(event('four'))}\n\n${JSON.stringify(event('five'))}`;
    expect(
      (await bed.call({ path: '/v1/events', key, body: lines, type: NDJSON })).as(Ingested).accepted,
    ).toBe(2);
    expect(await storedIds()).toEqual(['one', 'two', 'three', 'four', 'five']);
  });

  test('a bad one is named by its index, with the field and the reason, and blocks no other', async () => {
    const before = (await storedIds()).length;
    const body = [
      JSON.stringify(event('good')),
      '{"not": "an event"}',
      'not json',
      JSON.stringify({ ...event('future'), time: '2026-06-01T12:05:01Z' }),
      JSON.stringify(event('good_too')),
    ].join('\n');
    const answer = (await bed.call({ path: '/v1/events', key, body, type: NDJSON })).as(Ingested);
    expect([answer.accepted, answer.quarantined]).toEqual([2, 3]);
    expect(answer.results.map(({ status }) => status)).toEqual([
      'accepted',
      'quarantined',
      'quarantined',
      'quarantined',
      'accepted',
    ]);
    expect(answer.results[2]?.problem).toMatchObject({ code: 'invalid_json' });
    expect(answer.results[3]).toMatchObject({ id: 'future', problem: { path: 'time' } });
    expect(answer.results[1]?.quarantine_id).toMatch(/^qrn_/);
    expect((await storedIds()).slice(before)).toEqual(['good', 'good_too']);
  });

  test('a batch of too many is refused whole: nothing of it is taken', async () => {
    const before = await storedIds();
    const many = JSON.stringify(Array.from({ length: 51 }, (_, index) => event(`many_${index}`)));
    const answer = await bed.call({ path: '/v1/events', key, body: many, type: BATCH });
    expect([answer.status, answer.problem().code]).toEqual([413, 'batch_too_large']);
    expect(await storedIds()).toEqual(before);
  });

  test('an event that is too large is one bad event', async () => {
    const body = JSON.stringify([event('large', { note: 'x'.repeat(5000) }), event('small')]);
    const answer = (await bed.call({ path: '/v1/events', key, body, type: BATCH })).as(Ingested);
    expect(answer.results.map(({ status, problem }) => [status, problem?.code])).toEqual([
      ['quarantined', 'event_too_large'],
      ['accepted', undefined],
    ]);
  });
});

describe('a write with an Idempotency-Key', () => {
  const post = (body: unknown, idempotencyKey: string, as = key) =>
    bed.call({ path: '/v1/events', key: as, json: body, headers: { 'idempotency-key': idempotencyKey } });

  test('is done once, and its answer is given again, word for word', async () => {
    const first = await post(event('once'), 'k-1');
    const second = await post(event('once'), 'k-1');
    expect(second.text).toBe(first.text);
    expect([first, second].map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([null, 'true']);
    expect((await storedIds()).filter((id) => id === 'once')).toHaveLength(1);
  });

  test('is refused when the same key comes with another body', async () => {
    await post(event('a'), 'k-2');
    const other = await post(event('b'), 'k-2');
    expect([other.status, other.problem().code]).toEqual([422, 'idempotency_key_reused']);
    expect(await storedIds()).not.toContain('b');
  });

  test('does not meet the keys of other callers, or of other operations', async () => {
    const other = await bed.keyWith('ingest', 'quarantine');
    await post(event('mine'), 'k-3');
    expect((await post(event('theirs'), 'k-3', other)).status).toBe(200);
    const elsewhere = await bed.call({
      path: '/v1/quarantine/replay',
      key: other,
      json: {},
      headers: { 'idempotency-key': 'k-3' },
    });
    expect(elsewhere.status).toBe(200);
  });

  test('that failed leaves no trace: it can be tried again', async () => {
    const bad = JSON.stringify(Array.from({ length: 51 }, (_, index) => event(`x_${index}`)));
    const headers = { 'idempotency-key': 'k-4' };
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const answer = await bed.call({ path: '/v1/events', key, body: bad, type: BATCH, headers });
      expect(answer.problem().code).toBe('batch_too_large');
    }
  });

  test('sent twice at once is done once; the other is told to ask again, or gets the answer', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => post(event('at_once'), 'k-5')));
    const codes = answers.map(({ status }) => status).sort();
    expect(codes.every((status) => status === 200 || status === 409)).toBe(true);
    expect(codes[0]).toBe(200);
    expect((await storedIds()).filter((id) => id === 'at_once')).toHaveLength(1);
    for (const refused of answers.filter(({ status }) => status === 409)) {
      expect(refused.headers.get('retry-after')).toBe('1');
    }
  });

  test('never repeats a secret, and never keeps one', async () => {
    const create = () =>
      bed.call({
        path: '/v1/keys',
        json: { name: 'ci', role: 'sales' },
        headers: { 'idempotency-key': 'k-6' },
      });
    const first = await create();
    const { secret } = first.as(z.looseObject({ secret: z.string() }));
    const second = await create();
    expect([second.status, second.problem().code]).toEqual([409, 'already_exists']);
    const kept = await bed.runtime.services.sql.database.select().from(idempotencyKeys);
    expect(JSON.stringify(kept.map(({ answer }) => answer))).not.toContain(secret);
    const keys = (await bed.call({ path: '/v1/keys' })).as(
      z.object({ keys: z.array(z.looseObject({ name: z.string() })) }),
    );
    expect(keys.keys.filter(({ name }) => name === 'ci')).toHaveLength(1);
  });
});

describe('a full queue', () => {
  test('is told with Retry-After, and what was told so is not in the log', async () => {
    const small = await openApiTestBed({ HEADGATE_QUEUE_EVENTS: '5' });
    try {
      const posts = Array.from({ length: 40 }, (_, index) =>
        small.call({
          path: '/v1/events',
          json: [event(`q_${index}_a`), event(`q_${index}_b`), event(`q_${index}_c`)],
        }),
      );
      const answers = await Promise.all(posts);
      const refused = answers.filter(({ status }) => status === 503);
      expect(answers.filter(({ status }) => status === 200).length + refused.length).toBe(40);
      expect(refused.length).toBeGreaterThan(0);
      for (const answer of refused) {
        expect(answer.problem()).toMatchObject({ code: 'queue_full', retryable: true });
        expect(answer.headers.get('retry-after')).toBe('1');
      }
      const rows = await small.runtime.services.warehouse.query('select id from raw_installs', {}, IdRow);
      expect(rows).toHaveLength(3 * (40 - refused.length));
    } finally {
      await small.close();
    }
  });
});
