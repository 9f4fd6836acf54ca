import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { AlertWatch } from '../../billing/quota/alert-watch.js';
import { parseInstant } from '../../core/time.js';
import { readCatalogText } from '../../platform/catalog-file.js';
import { openApiTestBed, type ApiTestBed } from '../api-test-bed.js';
import { publishHandMadeRun } from '../hand-made-run.js';
import { catalogDocument, plan } from '../support/rating.js';
import { factOfExecution, factOfSubscription } from '../support/hand-made-facts.js';

/*
 * `pro` has 100 units, bills 10 ¢ each beyond and lets its customers choose; `fixed` lets nobody. Both have used 120 in the period
 * from 20 May to 20 June.
 */
const NOW = parseInstant('2026-06-01T12:00:00Z');
const TEN_CENTS = { ops: { model: 'per_unit', amount: '0.10', currency: 'USD' } };
const HUNDRED = { ops: { quantity: '100' } };
const document = catalogDocument({
  plans: {
    pro: plan({
      allowances: HUNDRED,
      overage: TEN_CENTS,
      stopPolicy: { default: 'soft', spendCap: { amount: '50.00', currency: 'USD' } },
    }),
    fixed: plan({
      allowances: HUNDRED,
      overage: TEN_CENTS,
      stopPolicy: { default: 'soft', choices: ['soft'] },
    }),
  },
});

let bed: ApiTestBed;
let now = NOW;
beforeAll(async () => {
  bed = await openApiTestBed();
  const reading = readCatalogText(JSON.stringify(document), 'policies');
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  await bed.runtime.services.publishCatalog(reading.file, 'test');
  await publishHandMadeRun(bed.runtime, {
    asOf: parseInstant('2026-06-01T00:00:00Z'),
    rows: {
      int_orgs: ['org_a', 'org_fixed', 'org_calm'].map((org_id) => ({
        ...{ org_id, segment: 'smb', country: 'DE', is_excluded: false },
      })),
    },
    facts: {
      executions: [
        factOfExecution('org_a', 'a', '2026-05-21', '120'),
        factOfExecution('org_fixed', 'b', '2026-05-21', '120'),
        factOfExecution('org_calm', 'c', '2026-05-21', '49.999'),
      ],
      billing: [
        factOfSubscription('org_a', 'pro', '2026-05-20'),
        factOfSubscription('org_fixed', 'fixed', '2026-05-20'),
        factOfSubscription('org_calm', 'pro', '2026-05-20'),
      ],
    },
  });
});
afterAll(() => bed.close());

async function later(seconds: number): Promise<void> {
  now += BigInt(seconds) * 1_000_000n;
  bed.setClock(now);
  await bed.runtime.services.quota.counters.refresh();
}
const check = async (org: string, quantity = 1) =>
  (await bed.call({ path: '/v1/quota/check', json: { org, meter: 'ops', quantity } })).as(
    z.looseObject({ decision: z.string(), reason: z.string(), spend_cap_minor: z.string().nullable() }),
  );
const choose = (org: string, json: object) =>
  bed.call({ method: 'PUT', path: `/v1/quota/policies/${org}`, json: { reason: 'asked for', ...json } });

describe('an org’s choice', () => {
  test('decides checks from the next one on, and is on the record', async () => {
    expect(await check('org_a')).toMatchObject({ reason: 'over_allowance_billed', spend_cap_minor: '5000' });
    const chosen = await choose('org_a', { stop: 'hard' });
    expect(chosen.json()).toMatchObject({ org_id: 'org_a', stop: 'hard', meter: null, chosen_by: 'local' });
    expect(await check('org_a')).toMatchObject({ decision: 'pause', reason: 'hard_stop' });
    const [entry] = (await bed.runtime.services.audit.list()).slice(-1);
    expect(entry).toMatchObject({ action: 'quota.choose', target: 'org_a' });
  });

  test('takes back nothing that was let through before: of a period’s choices the most permissive bills it', async () => {
    const amounts = async () => {
      await later(1);
      const usage = await bed.call({ path: '/v1/usage/org_a' });
      return usage.as(
        z.looseObject({ usage: z.array(z.looseObject({ status: z.string(), stop_policy: z.string() })) }),
      ).usage;
    };
    // 20 over at 10 ¢, used under the catalog's soft stop; a hard one is in force since.
    expect(await check('org_a')).toMatchObject({ reason: 'hard_stop', overage_amount_minor: '200' });
    expect(await amounts()).toMatchObject([{ status: 'due', stop_policy: 'soft', amount_minor: '200' }]);
    await choose('org_a', { stop: 'soft', spend_cap: { amount: '0.01', currency: 'USD' } });
    expect(await amounts()).toMatchObject([{ status: 'due', stop_policy: 'soft', amount_minor: '200' }]);
  });

  test('a cap counts beside the catalog’s, one for a meter beside one for all: the lowest is passed first', async () => {
    const capped = (amount: string, meter?: string) =>
      choose('org_a', { stop: 'soft', meter, spend_cap: { amount, currency: 'USD' } });
    await later(1);
    await capped('2.00');
    const paused = { decision: 'pause', reason: 'spend_cap', spend_cap_minor: '200' };
    expect(await check('org_a')).toMatchObject(paused);
    await later(1);
    await capped('2.10', 'ops');
    expect(await check('org_a')).toMatchObject(paused);
    await later(1);
    await capped('2.20');
    expect(await check('org_a')).toMatchObject({ reason: 'over_allowance_billed', spend_cap_minor: '210' });
    expect(await check('org_a', 2)).toMatchObject({ reason: 'spend_cap', spend_cap_minor: '210' });
    await later(1);
    await choose('org_a', { stop: 'default', meter: 'ops' });
    expect(await check('org_a')).toMatchObject({ spend_cap_minor: '220' });
    await later(1);
    await choose('org_a', { stop: 'default' });
    expect(await check('org_a')).toMatchObject({ spend_cap_minor: '5000' });
    const inForce = await bed.call({ path: '/v1/quota/policies/org_a' });
    expect(inForce.json()).toMatchObject({ choices: [{ stop: 'default' }, { stop: 'default' }] });
  });

  test.each([
    ['what the catalog does not offer', 'org_fixed', { stop: 'hard' }, 409, 'conflict'],
    [
      'more than the catalog’s cap',
      'org_a',
      { stop: 'soft', spend_cap: { amount: '50.01', currency: 'USD' } },
      409,
      'conflict',
    ],
    [
      'a cap in another currency',
      'org_a',
      { stop: 'soft', spend_cap: { amount: '5.00', currency: 'EUR' } },
      400,
      'invalid_argument',
    ],
    [
      'a cap in no currency',
      'org_a',
      { stop: 'soft', spend_cap: { amount: '5.00', currency: 'ABC' } },
      400,
      'unknown_currency',
    ],
    [
      'a cap under a hard stop',
      'org_a',
      { stop: 'hard', spend_cap: { amount: '5.00', currency: 'USD' } },
      400,
      'invalid_argument',
    ],
    ['a meter that it does not hold', 'org_a', { stop: 'hard', meter: 'other' }, 409, 'conflict'],
    ['an org that there is not', 'org_x', { stop: 'hard' }, 404, 'org_not_found'],
    ['no reason', 'org_a', { stop: 'hard', reason: ' ' }, 400, 'invalid_argument'],
    ['a stop of its own', 'org_a', { stop: 'gentle' }, 400, 'invalid_argument'],
  ])('%s is refused, and nothing is entered', async (_, org, json, status, code) => {
    const answer = await choose(org, json);
    expect([answer.status, answer.problem().code]).toEqual([status, code]);
    expect((await bed.call({ path: `/v1/quota/policies/org_fixed` })).json()).toEqual({ choices: [] });
  });

  test('reads with billing:read, and is chosen with billing:write', async () => {
    const [reader, quota] = [await bed.keyWith('billing:read'), await bed.keyWith('quota')];
    const call = { path: '/v1/quota/policies/org_a' };
    expect((await bed.call({ ...call, key: reader })).status).toBe(200);
    expect((await bed.call({ ...call, key: quota })).status).toBe(403);
    const put = { ...call, method: 'PUT', json: { stop: 'hard', reason: 'r' } };
    expect((await bed.call({ ...put, key: reader })).status).toBe(403);
  });
});

const Alerts = z.object({
  alerts: z.array(
    z.looseObject({
      org_id: z.string(),
      threshold_percent: z.number(),
      message_id: z.string().nullable(),
      delivery: z.looseObject({ state: z.string() }).nullable(),
    }),
  ),
  next_cursor: z.string().nullable(),
});

describe('usage alerts', () => {
  const alerts = async (query = '') => (await bed.call({ path: `/v1/alerts${query}` })).as(Alerts).alerts;
  const said = async (org: string) =>
    (await alerts(`?org=${org}`))
      .map(({ threshold_percent: percent, message_id: id }) => `${percent}${id === null ? '' : ' told'}`)
      .sort();
  const tell = async () => {
    now += 60_000_000n;
    bed.setClock(now);
    return (await bed.runtime.services.quota.tellAlerts()).entered;
  };
  const use = async (id: string, ops: string, subject = 'org_calm') => {
    const event = {
      ...{
        specversion: '1.0',
        id,
        source: '/p',
        type: 'execution.completed',
        subject,
        time: '2026-06-01T11:00:00Z',
      },
      data: { executionId: id, packageId: 'other', durationMs: 5, usage: { ops } },
    };
    const answer = await bed.call({ path: '/v1/events', json: event, type: 'application/cloudevents+json' });
    expect(answer.status, answer.text).toBeLessThan(300);
  };

  test('a run that is looked at the first time: all passed at once are one message, the highest', async () => {
    expect(await tell()).toBe(2);
    expect(await said('org_a')).toEqual(['100 told', '50', '75', '90']);
    expect(await said('org_fixed')).toEqual(['100 told', '50', '75', '90']);
    expect(await said('org_calm')).toEqual([]);
  });

  test('once for ever: looking again enters nothing, nor does who looks for the first time', async () => {
    expect(await tell()).toBe(0);
    const { services } = bed.runtime;
    const other = new AlertWatch({
      ...{ sql: services.sql, sources: services.quota.sources, clock: services.clock, isSent: false },
      currentRunId: () => services.runs.currentRunId(),
    });
    expect(await other.look()).toBe(0);
    expect(await said('org_a')).toHaveLength(4);
  });

  test('between runs, of orgs that something came in for', async () => {
    await use('x', '0.001');
    expect(await tell()).toBe(1);
    expect(await said('org_calm')).toEqual(['50 told']);
    // 49.999 + 0.001 + 39.999 is 89.999: not yet 90%.
    await use('y', '39.999');
    expect(await tell()).toBe(1);
    expect(await said('org_calm')).toEqual(['50 told', '75 told']);
    await use('z', '0.001');
    expect(await tell()).toBe(1);
    expect(await said('org_calm')).toEqual(['50 told', '75 told', '90 told']);
  });

  test('without an endpoint they are recorded, and told nobody', async () => {
    const states = (await alerts()).map(({ delivery }) => delivery?.state ?? 'none');
    expect(new Set(states)).toEqual(new Set(['unsent', 'none']));
  });

  test('a list in pages, each alert once', async () => {
    const ids = new Set<string>();
    let cursor: string | null = '';
    for (let pages = 0; cursor !== null && pages < 20; pages += 1) {
      const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page = (await bed.call({ path: `/v1/alerts?limit=3${more}` })).as(Alerts);
      for (const alert of page.alerts) ids.add(`${alert.org_id} ${alert.threshold_percent}`);
      cursor = page.next_cursor;
    }
    expect(ids.size).toBe((await alerts()).length);
    expect((await bed.call({ path: '/v1/alerts?cursor=x' })).problem().code).toBe('invalid_cursor');
  });
});
