import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import type { LiveSources } from '../../billing/quota/live-usage.js';
import { QuotaCounters } from '../../billing/quota/quota-counters.js';
import { checkQuota } from '../../billing/quota/quota-desk.js';
import { UnavailableError } from '../../core/errors.js';
import { parseInstant } from '../../core/time.js';
import { readCatalogText } from '../../platform/catalog-file.js';
import { openApiTestBed, type ApiTestBed } from '../api-test-bed.js';
import { publishHandMadeRun } from '../hand-made-run.js';
import { factOfContract, factOfExecution, factOfSubscription } from '../support/hand-made-facts.js';
import { catalogDocument, pack, plan } from '../support/rating.js';

/*
 * The run knows org_a's and org_b's subscriptions and 90 units of org_a's; what comes later comes over HTTP. Plan `pro` has 100
 * units and bills 10 ¢ each beyond; `strict` stops at 100; package `digest` has 50 of its own.
 */
const STARTED = '2026-05-20';
const RUN_AS_OF = parseInstant('2026-06-01T00:00:00Z');
const NOW = parseInstant('2026-06-01T12:00:00Z');
const TEN_CENTS = { ops: { model: 'per_unit', amount: '0.10', currency: 'USD' } };
const HUNDRED = { ops: { quantity: '100' } };
const METER = {
  name: 'Storage',
  unit: 'GB',
  stream: 'executions',
  eventType: 'usage.recorded',
  aggregation: 'sum',
};
const document = catalogDocument({
  meters: {
    guarded: { ...METER, key: 'guarded', whenUnknown: 'closed' },
    spare: { ...METER, key: 'spare' },
  },
  plans: {
    pro: plan({
      allowances: HUNDRED,
      overage: TEN_CENTS,
      stopPolicy: { default: 'soft', spendCap: { amount: '5.00', currency: 'USD' } },
    }),
    strict: plan({ allowances: HUNDRED, stopPolicy: { default: 'hard', choices: ['hard'] } }),
  },
  packages: { digest: pack({ allowances: { ops: { quantity: '50' } }, overage: TEN_CENTS }) },
});

const Decided = z.looseObject({
  decision: z.string(),
  reason: z.string(),
  used: z.string().nullable(),
  included: z.string().nullable(),
  left: z.string().nullable(),
  overage: z.string().nullable(),
  overage_amount_minor: z.string().nullable(),
  amount_after_minor: z.string().nullable(),
  subscription_id: z.string().nullable(),
  resets_at: z.string().nullable(),
  behind_seconds: z.number().nullable(),
  as_of: z.string().nullable(),
});

let bed: ApiTestBed;
let now = NOW;
beforeAll(async () => {
  bed = await openApiTestBed();
  const reading = readCatalogText(JSON.stringify(document), 'quota');
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  await bed.runtime.services.publishCatalog(reading.file, 'test');
});
afterAll(() => bed.close());

const ask = async (body: object) => bed.call({ path: '/v1/quota/check', json: body });
async function decided(body: object) {
  const answer = await ask(body);
  expect(answer.status, answer.text).toBe(200);
  return answer.as(Decided);
}
const said = ({ decision, reason, left, overage }: z.infer<typeof Decided>): string =>
  `${decision} ${reason}, ${left ?? '-'} left, ${overage ?? '-'} over`;

/** Lets time pass, so that counters look at the log again, and waits until they have. */
async function later(seconds: number): Promise<void> {
  now += BigInt(seconds) * 1_000_000n;
  bed.setClock(now);
  await bed.runtime.services.quota.counters.refresh();
}

async function use(id: string, ops: number, orgId = 'org_a', packageId = 'other'): Promise<void> {
  const event = {
    ...{ specversion: '1.0', id, source: '/p', type: 'execution.completed', subject: orgId },
    time: '2026-06-01T11:00:00Z',
    data: { executionId: id, packageId, durationMs: 5, usage: { ops: String(ops) } },
  };
  const answer = await bed.call({ path: '/v1/events', json: event, type: 'application/cloudevents+json' });
  expect(answer.status, answer.text).toBeLessThan(300);
}

test('before there is a run, usage is not known, and the meter says what follows', async () => {
  expect(await decided({ org: 'org_a', meter: 'ops' })).toMatchObject({
    ...{ decision: 'allow', reason: 'usage_unknown', used: null, as_of: null, behind_seconds: null },
  });
  expect(await decided({ org: 'org_a', meter: 'guarded' })).toMatchObject({ decision: 'pause' });
});

describe('with a run', () => {
  beforeAll(async () => {
    await publishHandMadeRun(bed.runtime, {
      asOf: RUN_AS_OF,
      rows: {
        int_orgs: ['org_a', 'org_b', 'org_none', 'org_try', 'org_own', 'org_deal'].map((org_id) => ({
          ...{ org_id, segment: 'smb', country: 'DE' },
          is_excluded: org_id === 'org_own',
        })),
      },
      facts: {
        executions: [factOfExecution('org_a', 'ninety', '2026-05-21', '90')],
        billing: [
          factOfSubscription('org_a', 'pro', STARTED),
          factOfSubscription('org_b', 'strict', STARTED),
          factOfSubscription('org_b', 'digest', STARTED, { kind: 'package', name: '_2' }),
          factOfSubscription('org_try', 'pro', STARTED, {
            data: { status: 'trialing', trialEndsAt: '2026-07-01T00:00:00Z' },
          }),
          factOfSubscription('org_own', 'pro', STARTED),
          factOfSubscription('org_deal', 'strict', STARTED),
          factOfContract('org_deal', { allowances: { ops: { quantity: '150' } } }, STARTED),
        ],
      },
    });
    await later(200);
    // A machine that is busy reads longer than a question waits; who asks again finds it read.
    const { counters } = bed.runtime.services.quota;
    for (const org of ['org_a', 'org_b']) await counters.ask(org, now).catch(() => counters.ask(org, now));
  });

  test('used, included, left and when it resets', async () => {
    expect(await decided({ org: 'org_a', meter: 'ops' })).toMatchObject({
      ...{
        decision: 'allow',
        reason: 'within_allowance',
        used: '90',
        included: '100',
        left: '10',
        overage: '0',
      },
      ...{ subscription_id: 'sub_org_a', resets_at: '2026-06-20T00:00:00Z', behind_seconds: 0 },
    });
  });

  test('the decision is about the quantity that is asked for', async () => {
    expect(said(await decided({ org: 'org_a', meter: 'ops', quantity: 10 }))).toBe(
      'allow within_allowance, 10 left, 0 over',
    );
    // 5 over at 10 ¢.
    const over = await decided({ org: 'org_a', meter: 'ops', quantity: '15' });
    expect(over).toMatchObject({
      decision: 'allow_with_overage',
      overage_amount_minor: '0',
      amount_after_minor: '50',
    });
    // The cap of $5.00 is 50 over; 51 are not let through.
    expect((await decided({ org: 'org_a', meter: 'ops', quantity: 60 })).reason).toBe(
      'over_allowance_billed',
    );
    expect((await decided({ org: 'org_a', meter: 'ops', quantity: 61 })).reason).toBe('spend_cap');
    expect((await decided({ org: 'org_b', meter: 'ops', quantity: 101 })).reason).toBe('hard_stop');
  });

  test('what a contract agrees on is the limit, and not what the catalog says', async () => {
    const upTo = async (quantity: number) => said(await decided({ org: 'org_deal', meter: 'ops', quantity }));
    expect(await upTo(150)).toBe('allow within_allowance, 150 left, 0 over');
    expect(await upTo(151)).toBe('pause hard_stop, 150 left, 0 over');
  });

  test('what came in since the run counts a moment later, a copy of it does not', async () => {
    await use('five', 5);
    await later(2);
    expect(said(await decided({ org: 'org_a', meter: 'ops' }))).toBe(
      'allow within_allowance, 5 left, 0 over',
    );
    await use('five', 5);
    // The run has this one.
    await use('ninety', 90);
    await later(2);
    expect(said(await decided({ org: 'org_a', meter: 'ops' }))).toBe(
      'allow within_allowance, 5 left, 0 over',
    );
    await use('eight', 8);
    await later(2);
    const answer = await decided({ org: 'org_a', meter: 'ops' });
    expect(said(answer)).toBe('allow_with_overage over_allowance_billed, 0 left, 3 over');
    expect(answer).toMatchObject({ used: '103', overage_amount_minor: '30', amount_after_minor: '40' });
  });

  test('usage of a package belongs to the subscription that holds it', async () => {
    await use('b1', 40, 'org_b', 'digest');
    await use('b2', 100, 'org_b', 'other');
    await later(2);
    expect(said(await decided({ org: 'org_b', meter: 'ops' }))).toBe('pause hard_stop, 0 left, 0 over');
    const digest = await decided({ org: 'org_b', meter: 'ops', package: 'digest', quantity: 10 });
    expect(said(digest)).toBe('allow within_allowance, 10 left, 0 over');
    expect(digest.subscription_id).toBe('sub_org_b_2');
  });

  test('several meters at once: the strictest decides', async () => {
    const answer = await decided({
      org: 'org_b',
      meters: [{ meter: 'ops', package: 'digest' }, { meter: 'ops' }],
    });
    expect(said(answer)).toBe('pause hard_stop, 0 left, 0 over');
    expect(answer['checks']).toHaveLength(2);
  });

  test.each([
    ['org_none', 'ops', 'pause not_subscribed, - left, - over'],
    ['org_a', 'spare', 'pause not_subscribed, - left, - over'],
    ['org_try', 'ops', 'allow not_billed, - left, - over'],
    ['org_own', 'ops', 'allow not_billed, - left, - over'],
  ])('%s and %s: %s', async (org, meter, expected) => {
    expect(said(await decided({ org, meter }))).toBe(expected);
  });

  test('live usage says the same as the counters', async () => {
    const usage = await bed.call({ path: '/v1/usage/org_a' });
    expect(usage.json()).toMatchObject({
      is_live: true,
      usage: [{ meter: 'ops', used: '103', overage: '3' }],
    });
    const ofRun = await bed.call({ path: '/v1/usage/org_a?live=false' });
    expect(ofRun.json()).toMatchObject({
      is_live: false,
      usage: [{ meter: 'ops', used: '90', overage: '0' }],
    });
  });
});

describe('what is kept in memory', () => {
  test('is told while the warehouse is away, for two minutes, and then is not known', async () => {
    const { services } = bed.runtime;
    let isAway = false;
    const sources: LiveSources = {
      ...services.quota.sources,
      withRun: (work) => {
        if (isAway) throw new UnavailableError('warehouse_unavailable', 'away');
        return services.quota.sources.withRun(work);
      },
    };
    const errors: unknown[] = [];
    const counters = new QuotaCounters({
      ...sources,
      clock: () => now,
      rules: () => Promise.resolve(isAway ? 'others by now' : 'these'),
      onError: (error) => errors.push(error),
    });
    const asked = {
      counters,
      catalogs: sources.catalogs,
      delinquencyOf: () => Promise.resolve('none' as const),
    };
    const question = { meterId: 'ops', packageId: '', quantity: { unscaled: 1n, scale: 0 } };
    const reasonOf = async () => {
      const { deciding, counted } = await checkQuota(asked, 'org_a', [question], now);
      return `${deciding.reason}, ${counted === null ? '-' : (now - counted.countedAt) / 1_000_000n} s ago`;
    };
    expect(await reasonOf()).toBe('over_allowance_billed, 0 s ago');
    isAway = true;
    now += 60_000_000n;
    expect(await reasonOf()).toBe('over_allowance_billed, 60 s ago');
    now += 60_000_000n;
    expect(await reasonOf()).toBe('usage_unknown, - s ago');
    isAway = false;
    expect(await reasonOf()).toBe('over_allowance_billed, 0 s ago');
    expect(errors).toEqual([]);
  });

  test('who waits is answered when its own reading ends, though others came to wait meanwhile', async () => {
    const { sources } = bed.runtime.services.quota;
    // Each reading waits until it is let through.
    const readings: (() => void)[] = [];
    const letThrough = async (reading: number): Promise<void> => {
      await vi.waitFor(() => {
        expect(readings).toHaveLength(reading);
      });
      readings[reading - 1]?.();
    };
    const counters = new QuotaCounters({
      ...sources,
      withRun: async (work) => {
        await new Promise<void>((resolve) => readings.push(resolve));
        return sources.withRun(work);
      },
      clock: () => now,
      rules: () => Promise.resolve('these'),
      onError: () => undefined,
    });
    const first = counters.ask('org_a', now);
    const together = first.then(() => Promise.all(['org_b', 'org_c'].map((org) => counters.ask(org, now))));
    await letThrough(1);
    await vi.waitFor(() => {
      expect(readings).toHaveLength(2);
    });
    const last = counters.ask('org_d', now);
    await letThrough(2);
    await together;
    await letThrough(3);
    await last;
  });

  test('is read anew when there is another run', async () => {
    const before = await decided({ org: 'org_a', meter: 'ops' });
    expect(before.used).toBe('103');
    // It measured 7 where the other measured 90; the 13 that came in since are the tail of both.
    await publishHandMadeRun(bed.runtime, {
      asOf: RUN_AS_OF,
      rows: { int_orgs: [{ org_id: 'org_a', segment: 'smb', country: 'DE', is_excluded: false }] },
      facts: {
        executions: [factOfExecution('org_a', 'ninety', '2026-05-21', '7')],
        billing: [factOfSubscription('org_a', 'pro', STARTED)],
      },
    });
    await later(2);
    const after = await decided({ org: 'org_a', meter: 'ops' });
    expect(after.used).toBe('20');
    expect(after['run_id']).not.toBe(before['run_id']);
  });
});

describe('bad input', () => {
  test.each([
    ['an org that no event speaks of', { org: 'org_x', meter: 'ops' }, 404, 'org_not_found'],
    ['a meter that no catalog has', { org: 'org_a', meter: 'opps' }, 404, 'not_found'],
    ['a meter with the name of a built-in', { org: 'org_a', meter: 'constructor' }, 404, 'not_found'],
    ['a negative quantity', { org: 'org_a', meter: 'ops', quantity: -1 }, 400, 'invalid_argument'],
    ['nothing', { org: 'org_a', meter: 'ops', quantity: '0' }, 400, 'invalid_argument'],
    ['a float', { org: 'org_a', meter: 'ops', quantity: 0.5 }, 400, 'invalid_argument'],
    ['a word', { org: 'org_a', meter: 'ops', quantity: 'many' }, 400, 'invalid_argument'],
    [
      'more digits than a quantity has',
      { org: 'org_a', meter: 'ops', quantity: '9'.repeat(19) },
      400,
      'invalid_argument',
    ],
    ['no meter', { org: 'org_a' }, 400, 'invalid_argument'],
    [
      'a meter twice over',
      { org: 'org_a', meter: 'ops', meters: [{ meter: 'ops' }] },
      400,
      'invalid_argument',
    ],
    ['too many', { org: 'org_a', meters: Array(21).fill({ meter: 'ops' }) }, 400, 'invalid_argument'],
    ['something unheard of', { org: 'org_a', meter: 'ops', force: true }, 400, 'invalid_argument'],
  ])('%s', async (_, body, status, code) => {
    const answer = await ask(body);
    expect([answer.status, answer.problem().code]).toEqual([status, code]);
  });

  test('a huge quantity is asked about like any other', async () => {
    expect((await decided({ org: 'org_a', meter: 'ops', quantity: '9'.repeat(18) })).reason).toBe(
      'spend_cap',
    );
  });

  test('it takes the scope quota, and no other', async () => {
    const body = { org: 'org_a', meter: 'ops' };
    const call = { path: '/v1/quota/check', json: body };
    expect((await bed.call({ ...call, key: await bed.keyWith('quota') })).status).toBe(200);
    expect((await bed.call({ ...call, key: await bed.keyWith('billing:read') })).status).toBe(403);
    expect((await bed.call({ ...call, key: null })).status).toBe(401);
  });
});
