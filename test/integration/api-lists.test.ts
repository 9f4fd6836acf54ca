import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openApiTestBed, NOW, type ApiTestBed } from '../api-test-bed.js';
import { publishHandMadeRun } from '../hand-made-run.js';
import { readAll, NextPage as Page } from '../read-all.js';
import { COMMISSIONS, LEADS, MRR, SMALL_RUN } from '../small-run.js';

let bed: ApiTestBed;
let runId: string;
beforeAll(async () => {
  bed = await openApiTestBed();
  runId = await publishHandMadeRun(bed.runtime, { asOf: NOW, rows: SMALL_RUN });
});
afterAll(() => bed.close());

const ids = (rows: readonly Record<string, unknown>[], id: string) => rows.map((row) => row[id]);

describe('lists', () => {
  test.each([1, 2, 5, 22, 23, 200])(
    'leads in pages of %i: each once, best first, equals by id',
    async (limit) => {
      // By hand: the score is the index modulo 8.
      const expected = [...LEADS]
        .sort(
          (a, b) =>
            Number(b['score']) - Number(a['score']) ||
            String(a['lead_id']).localeCompare(String(b['lead_id'])),
        )
        .map((lead) => lead['lead_id']);
      expect(ids(await readAll(bed, '/v1/leads', 'leads', limit), 'lead_id')).toEqual(expected);
    },
  );

  test('leads by creation: instants with fractions page as exactly as numbers', async () => {
    const expected = [...LEADS]
      .sort(
        (a, b) =>
          String(a['created_at']).localeCompare(String(b['created_at'])) ||
          String(a['lead_id']).localeCompare(String(b['lead_id'])),
      )
      .map((lead) => lead['lead_id']);
    expect(ids(await readAll(bed, '/v1/leads?sort=created_at', 'leads', 4), 'lead_id')).toEqual(expected);
  });

  test('filters narrow: a grade by its letter or whole, a least score, an owner', async () => {
    const count = async (query: string) => (await readAll(bed, `/v1/leads?${query}`, 'leads', 7)).length;
    // Indexes 0 to 22 modulo 8: 4 to 7 are A; 6 and 7 are A1: 6, 7, 14, 15, 22. Of 4, 5, 6, 7: 4, 5, 6, 7, 12 … 15, 20, 21, 22.
    expect(await count('grade=A1')).toBe(5);
    expect(await count('grade=A')).toBe(11);
    expect(await count('min_score=6')).toBe(5);
    expect(await count('owner=bob')).toBe(11);
    expect(await count('owner=bob&min_score=7')).toBe(2);
    expect(await count('owner=nobody')).toBe(0);
  });

  test('commissions: newest first, by partner, status and month; money beyond 2^53 is exact', async () => {
    const all = await readAll(bed, '/v1/commissions', 'commissions', 5);
    expect(all).toHaveLength(12);
    expect(all[0]).toMatchObject({ earned_at: '2026-03-10T00:00:00Z', base_minor: '9007199254740993' });
    expect(
      ids(await readAll(bed, '/v1/commissions?partner=p_2', 'commissions', 3), 'line_id').sort(),
    ).toEqual(['line_08', 'line_09', 'line_10', 'line_11']);
    expect(
      ids(await readAll(bed, '/v1/commissions?month=2026-01&status=due', 'commissions', 1), 'line_id'),
    ).toEqual(['line_00', 'line_06']);
    expect(all.find((line) => line['line_id'] === 'line_03')).toMatchObject({ amount_minor: '-100' });
  });

  test('targets: each once with its last month, or with its history', async () => {
    expect(ids(await readAll(bed, '/v1/targets', 'targets', 1), 'period')).toEqual([
      '2026-04-01',
      '2026-04-01',
    ]);
    expect(await readAll(bed, '/v1/targets?history=true', 'targets', 3)).toHaveLength(4);
    expect(ids(await readAll(bed, '/v1/targets?metric=mrr', 'targets', 3), 'target_id')).toEqual(['mrr']);
  });

  test('a target says what opens its actual and whether goal and owner are assumed', async () => {
    const [customers, mrr] = await readAll(bed, '/v1/targets', 'targets', 3);
    expect(mrr).toMatchObject({
      is_assumed: true,
      is_owner_assumed: true,
      drill: {
        metric: 'mrr',
        question: { month: '2026-04-01', currency: 'USD', dimension: 'all', member: 'all' },
      },
    });
    // Without a currency there is no number of the bridge to open.
    expect(customers).toMatchObject({ is_owner_assumed: false, drill: null });
  });

  test('a lead says that its scorecard is assumed', async () => {
    expect((await readAll(bed, '/v1/leads', 'leads', 50)).map((lead) => lead['is_assumed'])).toEqual(
      LEADS.map(() => true),
    );
  });

  test('orgs: each once whatever its currencies, test orgs never', async () => {
    const orgs = await readAll(bed, '/v1/orgs', 'orgs', 1);
    expect(ids(orgs, 'org_id')).toEqual(['org_a', 'org_b', 'org_c']);
    expect(orgs[0]).toMatchObject({
      plan_id: 'growth',
      active_installs: 2,
      executions: 7,
      money: [
        { currency: 'EUR', mrr_minor: '300' },
        { currency: 'USD', mrr_minor: '1200' },
      ],
    });
    expect(orgs[1]).toMatchObject({ money: [] });
    expect(orgs[2]).toMatchObject({ plan_id: 'none', money: [] });
    expect(ids(await readAll(bed, '/v1/orgs?segment=enterprise', 'orgs', 9), 'org_id')).toEqual(['org_c']);
    expect(ids(await readAll(bed, '/v1/orgs?plan=growth', 'orgs', 9), 'org_id')).toEqual(['org_a', 'org_b']);
  });

  test('one org: its months newest first, its open installs before those that ended', async () => {
    const answer = await bed.call({ path: '/v1/orgs/org_a' });
    expect(answer.json()).toMatchObject({
      run_id: runId,
      org: { org_id: 'org_a', executions: 7 },
      months: [{ month: '2026-05-01' }, { month: '2026-04-01', money: [{ mrr_minor: '1000' }] }],
      installs: [{ install_id: 'i2', ended_at: null }, { install_id: 'i1' }],
    });
    for (const id of ['org_test', 'org_z']) {
      expect((await bed.call({ path: `/v1/orgs/${id}` })).problem().code).toBe('org_not_found');
    }
  });
});

describe('cursors', () => {
  /** The cursor after the first page of a list. */
  const cursorOf = async (path: string) => (await bed.call({ path })).as(Page).next_cursor ?? '';
  const codeOf = async (path: string) => (await bed.call({ path })).problem().code;

  test('one that was changed anywhere is refused', async () => {
    const cursor = await cursorOf('/v1/leads?limit=2');
    for (let place = 0; place < cursor.length; place += 1) {
      const other = cursor[place] === 'A' ? 'B' : 'A';
      const changed = cursor.slice(0, place) + other + cursor.slice(place + 1);
      expect([place, await codeOf(`/v1/leads?cursor=${encodeURIComponent(changed)}`)]).toEqual([
        place,
        'invalid_cursor',
      ]);
    }
    for (const cut of [cursor.slice(0, -1), `${cursor}A`, `${cursor}.x`, cursor.slice(1)]) {
      expect(await codeOf(`/v1/leads?cursor=${encodeURIComponent(cut)}`)).toBe('invalid_cursor');
    }
  });

  test('one of another list, filter or order is refused', async () => {
    const cursor = encodeURIComponent(await cursorOf('/v1/leads?limit=2'));
    for (const query of ['sort=score', 'grade=A', 'min_score=1', 'owner=ann', 'as_of=2026-06-01T12:00:00Z']) {
      expect(await codeOf(`/v1/leads?${query}&cursor=${cursor}`)).toBe('invalid_cursor');
    }
    for (const path of [
      '/v1/commissions',
      '/v1/targets',
      '/v1/orgs',
      '/v1/runs',
      '/v1/quarantine',
      '/v1/metrics/mrr',
    ]) {
      expect([path, await codeOf(`${path}?cursor=${cursor}`)]).toEqual([path, 'invalid_cursor']);
    }
  });

  test('a list that was begun in one run goes on in it when the pointer has moved', async () => {
    const cursor = encodeURIComponent(await cursorOf('/v1/leads?limit=2'));
    const next = await publishHandMadeRun(bed.runtime, { asOf: NOW + 1_000_000n, rows: {} });
    try {
      const page = (await bed.call({ path: `/v1/leads?limit=2&cursor=${cursor}` })).json();
      expect(page).toMatchObject({ run_id: runId, leads: [{ score: 6 }, { score: 6 }] });
      expect((await bed.call({ path: '/v1/leads' })).json()).toMatchObject({ run_id: next, leads: [] });
      const asOf = (await bed.call({ path: '/v1/leads?as_of=2026-06-01T12:00:00Z&limit=1' })).json();
      expect(asOf).toMatchObject({ run_id: runId });
    } finally {
      runId = await publishHandMadeRun(bed.runtime, {
        asOf: NOW + 2_000_000n,
        rows: { mrr_months: MRR, lead_scores: LEADS, commission_lines: COMMISSIONS },
      });
    }
  });
});
