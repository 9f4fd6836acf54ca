import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { parseInstant } from '../../core/time.js';
import { readCatalogText } from '../../platform/catalog-file.js';
import { openApiTestBed, type ApiTestBed } from '../api-test-bed.js';
import { publishHandMadeRun, type Row } from '../hand-made-run.js';
import { catalogDocument, plan } from '../support/rating.js';

/*
 * As of 1 June 2026. `pro` has 100 operations and bills 10 ¢ each beyond; `strict` stops at 100. Periods begin on the 20th.
 * Until 20 May: org_a used 130 (30 over: $3.00), org_b 110 (10 over, stopped: nothing is billed). Since then org_a used 40.
 */
const document = catalogDocument({
  plans: {
    pro: plan({
      allowances: { ops: { quantity: '100' } },
      overage: { ops: { model: 'per_unit', amount: '0.10', currency: 'USD' } },
    }),
    strict: plan({
      allowances: { ops: { quantity: '100' } },
      stopPolicy: { default: 'hard', choices: ['hard'] },
    }),
  },
});

function subscribed(orgId: string, productId: string): Row {
  const item = { itemId: 'si', kind: 'plan', productId, quantity: 1, unitAmountMinor: 4900 };
  const items = [{ ...item, interval: 'month', intervalCount: 1 }];
  return {
    ...{ day: '2026-04-20', subject: orgId, source: '/s', event_id: orgId, type: 'subscription.started' },
    ...{ at: '2026-04-20 00:00:00', recorded_at: '2026-04-20 00:00:00', log_partition: 0, log_offset: 0 },
    data: JSON.stringify({ subscriptionId: `sub_${orgId}`, currency: 'USD', items }),
  };
}

function used(orgId: string, day: string, ops: number): Row {
  const at = `${day} 12:00:00`;
  return {
    ...{ day, org_id: orgId, source: '/p', event_id: `${orgId} ${day}`, type: 'execution.completed' },
    ...{ at, recorded_at: at, log_partition: 0, log_offset: 0, execution_id: `${orgId} ${day}`, attempt: 1 },
    ...{ package_id: 'other', install_id: 'i', workflow: 'w', user_id: 'u', duration_ms: 5, cost_micros: 1 },
    ...{ currency: 'USD', human_intervention: false, saved_minutes: 0, byo_key: false, meter: '' },
    ...{ quantity: 0, unique_key: '', usage: JSON.stringify({ ops: String(ops) }) },
  };
}

let bed: ApiTestBed;
beforeAll(async () => {
  bed = await openApiTestBed();
  const reading = readCatalogText(JSON.stringify(document), 'periods');
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  await bed.runtime.services.publishCatalog(reading.file, 'test');
  await publishHandMadeRun(bed.runtime, {
    asOf: parseInstant('2026-06-01T00:00:00Z'),
    rows: {},
    facts: {
      billing: [subscribed('org_a', 'pro'), subscribed('org_b', 'strict')],
      executions: [
        used('org_a', '2026-05-01', 80),
        used('org_a', '2026-05-19', 50),
        used('org_b', '2026-05-02', 110),
        used('org_a', '2026-05-20', 40),
      ],
    },
  });
});
afterAll(() => bed.close());

const Page = z.looseObject({ periods: z.array(z.unknown()), next_cursor: z.string().nullable() });
const get = async (path: string) => (await bed.call({ path })).as(Page);
const MAY = '/v1/usage-periods?month=2026-05';

const orgA = {
  ...{
    org_id: 'org_a',
    meter: 'ops',
    period_start: '2026-04-20T00:00:00Z',
    period_end: '2026-05-20T00:00:00Z',
  },
  ...{
    used: '130',
    included: '100',
    overage: '30',
    overage_minor: '300',
    currency: 'USD',
    stop_policy: 'soft',
  },
  ...{ is_open: false, status: 'due', events: 2 },
};
const orgB = {
  ...{ org_id: 'org_b', used: '110', included: '100', overage: '10', overage_minor: null },
  ...{ stop_policy: 'hard', status: 'stopped' },
};

test('periods that ended in a month: used, included, over, and what that comes to', async () => {
  expect(await get(MAY)).toMatchObject({ periods: [orgA, orgB], next_cursor: null });
});

test('without a month: those that are open at the run’s as-of', async () => {
  expect(await get('/v1/usage-periods')).toMatchObject({
    as_of: '2026-06-01T00:00:00Z',
    periods: [
      {
        ...{ org_id: 'org_a', period_start: '2026-05-20T00:00:00Z', period_end: '2026-06-20T00:00:00Z' },
        ...{ used: '40', overage: '0', overage_minor: '0', is_open: true, status: 'within' },
      },
      { org_id: 'org_b', used: '0', is_open: true },
    ],
  });
});

test('page by page, of one org, and nothing in a month in which no period ended', async () => {
  const first = await get(`${MAY}&limit=1`);
  expect(first).toMatchObject({ periods: [orgA] });
  expect(await get(`${MAY}&limit=1&cursor=${first.next_cursor ?? ''}`)).toMatchObject({
    ...{ periods: [orgB], next_cursor: null },
  });
  expect((await get(`${MAY}&org=org_b`)).periods).toMatchObject([orgB]);
  expect((await get('/v1/usage-periods?month=2026-04')).periods).toEqual([]);
});

test('SQL knows them as a relation: those that are over and those that are open', async () => {
  const sql = `select org_id, meter, period_end, is_open, used, overage_minor, stop_policy from usage_periods
    order by is_open, org_id`;
  const { rows } = (await bed.call({ path: '/v1/sql', json: { sql } })).as(
    z.looseObject({ rows: z.array(z.unknown()) }),
  );
  const zeros = '.000000000000';
  expect(rows).toMatchObject([
    {
      ...{ org_id: 'org_a', meter: 'ops', period_end: '2026-05-20T00:00:00Z', is_open: false },
      used: `130${zeros}`,
    },
    { ...{ org_id: 'org_b', is_open: false, used: `110${zeros}`, overage_minor: null, stop_policy: 'hard' } },
    { org_id: 'org_a', is_open: true, used: `40${zeros}`, overage_minor: 0 },
    { org_id: 'org_b', is_open: true, used: `0${zeros}` },
  ]);
});

test('keys that may not read billing, and questions that make no sense, are refused', async () => {
  const sales = await bed.keyWith('leads:read');
  expect((await bed.call({ path: MAY, key: sales })).problem()).toMatchObject({ code: 'scope_missing' });
  for (const query of ['month=2026-5', 'limit=0', 'meter=ops']) {
    const refused = (await bed.call({ path: `/v1/usage-periods?${query}` })).problem();
    expect(refused, query).toMatchObject({ status: 400, code: 'invalid_argument' });
  }
});
