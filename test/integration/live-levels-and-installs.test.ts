import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseInstant } from '../../core/time.js';
import { readCatalogText } from '../../platform/catalog-file.js';
import { openApiTestBed, type ApiTestBed } from '../api-test-bed.js';
import { publishHandMadeRun, type Row } from '../hand-made-run.js';
import { factOfExecution, factOfSubscription } from '../support/hand-made-facts.js';
import { catalogDocument, plan } from '../support/rating.js';

/*
 * Subscribed since 2 April: the open period is 2 May to 2 June, 31 days. The levels were told on 10 April and not since. The run is
 * of a quarter of the period, 9 May 18:00. Of each meter 100 are included, and 2 sites and 2 seats.
 */
const QUARTER = parseInstant('2026-05-09T18:00:00Z');
// What is asked at an instant counts up to the end of its microsecond.
const HALF = parseInstant('2026-05-17T11:59:59.999999Z');
const THREE_QUARTERS = parseInstant('2026-05-25T05:59:59.999999Z');
const RECORDED = { name: 'Storage', unit: 'GB', stream: 'executions', eventType: 'usage.recorded' };
const INSTALLS = { name: 'Installs', unit: 'one', stream: 'installs' };
const METERS = {
  disk: { ...RECORDED, key: 'disk', aggregation: 'latest' },
  held: { ...RECORDED, key: 'held', aggregation: 'time_weighted' },
  sites: { ...INSTALLS, eventType: 'install.created', aggregation: 'count' },
  seats: { ...INSTALLS, eventType: 'session.active', aggregation: 'unique' },
};
const INCLUDED = { disk: '100', held: '100', sites: '2', seats: '2' };
const CENT = { model: 'per_unit', amount: '0.01', currency: 'USD' };
const document = catalogDocument({
  meters: METERS,
  plans: {
    pro: plan({
      allowances: Object.fromEntries(Object.entries(INCLUDED).map(([id, quantity]) => [id, { quantity }])),
      overage: Object.fromEntries(Object.keys(METERS).map((id) => [id, CENT])),
    }),
  },
});

const level = (orgId: string, meter: string, quantity: number): Row => ({
  ...factOfExecution(orgId, `${orgId} ${meter}`, '2026-04-10', '0'),
  ...{ type: 'usage.recorded', meter, quantity, package_id: '' },
});
const ofInstalls = (type: string, id: string, data: object): Row => ({
  ...factOfSubscription('org_sites', '', '2026-05-05'),
  ...{ source: '/p', event_id: id, type, data: JSON.stringify(data) },
});

let bed: ApiTestBed;
beforeAll(async () => {
  bed = await openApiTestBed();
  bed.setClock(QUARTER);
  const reading = readCatalogText(JSON.stringify(document), 'levels');
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  await bed.runtime.services.publishCatalog(reading.file, 'test');
  const orgs = ['org_levels', 'org_sites'];
  await publishHandMadeRun(bed.runtime, {
    asOf: QUARTER,
    rows: {
      int_orgs: orgs.map((org_id) => ({ org_id, segment: 'smb', country: 'DE', is_excluded: false })),
    },
    facts: {
      executions: [level('org_levels', 'disk', 150), level('org_levels', 'held', 200)],
      installs: [
        ofInstalls('install.created', 'site 1', { installId: 'ins_1', packageId: 'digest' }),
        ofInstalls('session.active', 'seat 1', { userId: 'usr_1' }),
      ],
      billing: orgs.map((orgId) => factOfSubscription(orgId, 'pro', '2026-04-02')),
    },
  });
});
afterAll(() => bed.close());

const Decided = z.looseObject({ used: z.string(), overage: z.string() });
async function check(org: string, meter: string): Promise<string> {
  const answer = await bed.call({ path: '/v1/quota/check', json: { org, meter } });
  expect(answer.status, answer.text).toBe(200);
  const { used, overage } = answer.as(Decided);
  return `${used} used, ${overage} over`;
}
const Usage = z.looseObject({ usage: z.array(Decided.extend({ meter: z.string() })) });
async function usage(org: string, meter: string): Promise<string> {
  const answer = await bed.call({ path: `/v1/usage/${org}` });
  const line = answer.as(Usage).usage.find((one) => one.meter === meter);
  return `${line?.used} used, ${line?.overage} over`;
}
const Alerts = z.looseObject({
  alerts: z.array(z.looseObject({ org_id: z.string(), meter: z.string(), threshold_percent: z.number() })),
});
async function alertsOf(org: string, meter: string): Promise<number[]> {
  const answer = await bed.call({ path: `/v1/alerts?org=${org}` });
  const found = answer.as(Alerts).alerts.filter((one) => one.meter === meter);
  return found.map((one) => one.threshold_percent).sort((a, b) => a - b);
}

describe('levels that were told before the period', () => {
  test('alerts of a run count a level by the time that it held by then', async () => {
    await bed.runtime.services.quota.tellAlerts();
    // 200 for a quarter of the period are 50 of 100; 150 as it stands is all of 100.
    expect(await alertsOf('org_levels', 'held')).toEqual([50]);
    expect(await alertsOf('org_levels', 'disk')).toEqual([50, 75, 90, 100]);
  });

  test('count in checks and in live usage', async () => {
    bed.setClock(HALF);
    expect(await usage('org_levels', 'disk')).toBe('150 used, 50 over');
    expect(await check('org_levels', 'disk')).toBe('150 used, 50 over');
  });

  test('count up to now, where they are weighted by time', async () => {
    // 200 for half of the period.
    expect(await usage('org_levels', 'held')).toBe('100 used, 0 over');
    expect(await check('org_levels', 'held')).toBe('100 used, 0 over');
  });

  test('count for longer as time goes by, though nothing comes in', async () => {
    bed.setClock(THREE_QUARTERS);
    expect(await check('org_levels', 'held')).toBe('150 used, 50 over');
    expect(await usage('org_levels', 'held')).toBe('150 used, 50 over');
  });
});

describe('meters of installs', () => {
  const used = async (meter: string): Promise<string> => {
    await bed.runtime.services.quota.counters.refresh();
    const said = await check('org_sites', meter);
    expect(await usage('org_sites', meter)).toBe(said);
    return said;
  };
  const tell = async (id: string, type: string, data: object): Promise<void> => {
    const time = '2026-05-24T00:00:00Z';
    const event = { specversion: '1.0', id, source: '/p', type, subject: 'org_sites', time, data };
    const answer = await bed.call({
      path: '/v1/events',
      json: event,
      type: 'application/cloudevents+json',
    });
    expect(answer.status, answer.text).toBeLessThan(300);
  };

  test('count what comes in between runs, once', async () => {
    expect([await used('sites'), await used('seats')]).toEqual(['1 used, 0 over', '1 used, 0 over']);
    await tell('site 2', 'install.created', { installId: 'ins_2', packageId: 'digest' });
    await tell('site 2', 'install.created', { installId: 'ins_2', packageId: 'digest' });
    await tell('seat 2', 'session.active', { userId: 'usr_2' });
    expect([await used('sites'), await used('seats')]).toEqual(['2 used, 0 over', '2 used, 0 over']);
    await tell('site 3', 'install.created', { installId: 'ins_3', packageId: 'digest' });
    expect(await used('sites')).toBe('3 used, 1 over');
  });

  test('pass their thresholds between runs', async () => {
    await bed.runtime.services.quota.tellAlerts();
    expect(await alertsOf('org_sites', 'sites')).toEqual([50, 75, 90, 100]);
  });

  test.each([
    ['of the run', 'site 1', '2 used, 0 over'],
    ['that came in since', 'site 2', '1 used, 0 over'],
  ])('do not count what is void by now: one %s', async (_, targetId, expected) => {
    const target = { targetType: 'install.created', targetSource: '/p', targetId, reason: 'a test' };
    await tell(`void ${targetId}`, 'event.voided', target);
    expect(await used('sites')).toBe(expected);
  });
});
