import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { apiOf } from '../support/api.js';
import { openCompany, type TestCompany } from '../support/company.js';

/*
 * A company that has published no catalog still has numbers. Three leads, one of them active; an org that installs a package.
 */
const event = (id: string, type: string, subject: string, time: string, data: object): string =>
  JSON.stringify({ specversion: '1.0', source: '/crm', id, type, subject, time, data });

const createdAt = '2026-01-03T10:00:00Z';
const LINES = [
  ...['lead_a', 'lead_b', 'lead_c'].map((leadId) =>
    event(leadId, 'lead.upserted', leadId, createdAt, { leadId, createdAt, status: 'open' }),
  ),
  event('asked', 'lead.activity', 'lead_a', '2026-01-04T11:00:00Z', {
    leadId: 'lead_a',
    kind: 'demo_request',
  }),
  event('org', 'org.upserted', 'org_a', '2026-01-05T00:00:00Z', { name: 'A' }),
  event('install', 'install.created', 'org_a', '2026-01-06T00:00:00Z', {
    installId: 'i_1',
    packageId: 'anything',
  }),
  event('subscription', 'subscription.started', 'org_a', '2026-01-06T00:00:00Z', {
    subscriptionId: 'sub_a',
    currency: 'USD',
    items: [
      {
        itemId: 'si_a',
        kind: 'plan',
        productId: 'some_plan',
        quantity: 1,
        unitAmountMinor: 5_000,
        interval: 'month',
        intervalCount: 1,
      },
    ],
  }),
];

let company: TestCompany;
beforeAll(async () => {
  company = await openCompany();
  expect(await company.ingest(LINES)).toMatchObject({ accepted: LINES.length, quarantined: 0 });
  await company.transform('2026-03-01T00:00:00Z');
});
afterAll(() => company.remove());

test('every lead still has a score row: no points, the last grade, no band, nothing assumed', async () => {
  const Answer = z.object({
    leads: z.array(
      z.object({
        lead_id: z.string(),
        score: z.number(),
        grade: z.string(),
        band: z.string(),
        model_version: z.string(),
        is_assumed: z.boolean(),
      }),
    ),
  });
  const { leads } = await apiOf(company).get('/v1/leads', Answer);
  const none = { score: 0, grade: 'D4', band: 'none', model_version: 'none', is_assumed: false };
  expect(leads).toEqual(['lead_a', 'lead_b', 'lead_c'].map((leadId) => ({ lead_id: leadId, ...none })));
});

test('targets are empty', async () => {
  const Answer = z.object({ targets: z.array(z.unknown()) });
  expect(await apiOf(company).get('/v1/targets?history=true', Answer)).toEqual({ targets: [] });
});

test('every package is allowed for every org', async () => {
  const Row = z.object({ item_id: z.string(), eligible_orgs: z.number(), attached_orgs: z.number() });
  const Rows = z.object({ rows: z.array(Row) });
  const sql =
    "select item_id, eligible_orgs, attached_orgs from attach_packages where month = date '2026-02-01' order by item_id";
  const { rows } = await apiOf(company).post('/v1/sql', { sql }, Rows);
  expect(rows).toEqual([{ item_id: 'anything', eligible_orgs: 1, attached_orgs: 1 }]);
});

test('a metric is found by the name that catalogs give it', async () => {
  const Answer = z.object({ metric: z.object({ name: z.string() }) });
  expect(await apiOf(company).get('/v1/metrics/nrr_t12', Answer)).toEqual({ metric: { name: 'nrr' } });
});

test('a drill says the digest of its input set', async () => {
  const Answer = z.object({
    sides: z.record(z.string(), z.object({ sum: z.string(), rows: z.number(), digest: z.string() })),
  });
  const path = '/v1/metrics/mrr/drill?month=2026-02-01&currency=USD';
  const { sides } = await apiOf(company).get(path, Answer);
  expect(sides['value']).toMatchObject({ sum: '5000', rows: 1 });
  expect(sides['value']?.digest).toMatch(/^[0-9a-f]{32}$/);
  const first = await apiOf(company).get(`${path}&limit=1`, Answer);
  expect(first.sides).toEqual(sides);
});
