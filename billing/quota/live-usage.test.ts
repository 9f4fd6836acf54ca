import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatDecimal } from '../../core/decimal.js';
import { parseInstant } from '../../core/time.js';
import { readCatalogText } from '../../platform/catalog-file.js';
import { openCompany, type TestCompany } from '../../test/support/company.js';
import { catalogDocument, plan } from '../../test/support/rating.js';
import { readUsage } from '../metered-usage.js';
import { windowsOf } from '../org-usage.js';
import { ratedUsage } from '../overage-plan.js';
import { NOTHING_CHOSEN } from '../overage-terms.js';
import { readLiveUsage, type LiveSources } from './live-usage.js';

/*
 * One plan since 10 March; `ops` is a sum, `storage` the highest, `runs` a count. The run is measured at noon of 20 March, and what
 * comes after it is the tail. Everything is asked at 25 March, in the period to 10 April.
 */
const RUN_AS_OF = '2026-03-20T12:00:00Z';
const NOW = parseInstant('2026-03-25T00:00:00Z');
const CENT = { model: 'per_unit', amount: '0.01', currency: 'USD' };
const METER = { name: 'A meter', unit: 'unit', stream: 'executions' };
const METERS = {
  ops: { ...METER, eventType: 'execution.completed', key: 'ops', aggregation: 'sum' },
  runs: { ...METER, eventType: 'execution.completed', aggregation: 'count' },
  storage: { ...METER, eventType: 'usage.recorded', key: 'storage', aggregation: 'max' },
};
const document = catalogDocument({
  meters: METERS,
  plans: { pro: plan({ overage: Object.fromEntries(Object.keys(METERS).map((id) => [id, CENT])) }) },
});

const line = (id: string, type: string, time: string, data: object, subject = 'org_1'): string =>
  JSON.stringify({ specversion: '1.0', id, source: '/t', type, subject, time, data });
const ended = (id: string, time: string, ops: number, subject = 'org_1'): string =>
  line(
    id,
    'execution.completed',
    time,
    { executionId: `x_${id}`, packageId: 'digest', durationMs: 5, usage: { ops: String(ops) } },
    subject,
  );
const stored = (id: string, time: string, quantity: string): string =>
  line(id, 'usage.recorded', time, { meter: 'storage', quantity });
const voided = (id: string, targetId: string, time: string, targetType = 'execution.completed'): string =>
  line(id, 'event.voided', time, {
    ...{ targetType, targetSource: '/t', targetId, reason: 'wrong' },
    ...(targetType.startsWith('event.') && { targetStream: 'executions' }),
  });
const amended = (id: string, targetId: string, time: string, ops: number): string =>
  line(id, 'event.amended', time, {
    ...{ targetType: 'execution.completed', targetSource: '/t', targetId, reason: 'wrong' },
    data: { executionId: `x_${targetId}`, packageId: 'digest', durationMs: 5, usage: { ops: String(ops) } },
  });
const started = (orgId: string): string =>
  line(
    `sub ${orgId}`,
    'subscription.started',
    '2026-03-10T00:00:00Z',
    {
      subscriptionId: `sub_${orgId}`,
      currency: 'USD',
      items: [
        {
          ...{ itemId: 'si', kind: 'plan', productId: 'pro', quantity: 1 },
          ...{ unitAmountMinor: 4900, interval: 'month', intervalCount: 1 },
        },
      ],
    },
    orgId,
  );

const BEFORE = [
  started('org_1'),
  started('org_2'),
  ended('a', '2026-03-11T00:00:00Z', 1),
  ended('b', '2026-03-12T00:00:00Z', 10),
  ended('c', '2026-03-13T00:00:00Z', 100),
  ended('d', '2026-03-14T00:00:00Z', 1000),
  ended('e', '2026-03-15T00:00:00Z', 10_000),
  voided('void d', 'd', '2026-03-16T00:00:00Z'),
  amended('amend e', 'e', '2026-03-16T00:00:00Z', 20_000),
  stored('s1', '2026-03-15T00:00:00Z', '50'),
  stored('s2', '2026-03-16T00:00:00Z', '70.5'),
  ended('other', '2026-03-11T00:00:00Z', 7, 'org_2'),
  // At and after the run's as-of: it had come, and was not yet in time.
  ended('waiting', '2026-03-21T00:00:00Z', 100_000),
  voided('void c, later', 'c', '2026-03-22T00:00:00Z'),
];

let company: TestCompany;
let sources: LiveSources;
beforeAll(async () => {
  company = await openCompany();
  const { services } = company.runtime;
  const reading = readCatalogText(JSON.stringify(document), 'live');
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  await services.publishCatalog(reading.file, 'test');
  expect(await company.ingest(BEFORE)).toMatchObject({ quarantined: 0 });
  await company.transform(RUN_AS_OF);
  sources = {
    withRun: (work) => services.runs.withRun({}, work),
    warehouse: services.warehouse,
    catalogs: () => services.catalogs.published(),
    choicesOf: () => Promise.resolve(() => [NOTHING_CHOSEN]),
  };
});
afterAll(() => company.remove());

/** `ops runs storage`, of the parts and, what must be the same, of a reading of everything at once. */
async function used(orgId = 'org_1'): Promise<string> {
  const live = await readLiveUsage(sources, [orgId], NOW);
  const of = (meterId: string): string => {
    const question = live.questions.find(({ metered }) => metered.meterId === meterId);
    return question === undefined ? '-' : formatDecimal(ratedUsage(question, live.usage.now).used);
  };
  return ['ops', 'runs', 'storage'].map(of).join(' ');
}

/** What a run that is made now says. */
async function usedByRun(orgId = 'org_1'): Promise<string> {
  await company.transform('2026-03-25T00:00:00Z');
  return company.runtime.services.runs.withRun({}, async ({ reader }) => {
    const live = await readLiveUsage(sources, [orgId], NOW);
    const usage = await readUsage(windowsOf(live.questions), reader);
    const of = (meterId: string): string => {
      const question = live.questions.find(({ metered }) => metered.meterId === meterId);
      return question === undefined ? '-' : formatDecimal(ratedUsage(question, usage).used);
    };
    return ['ops', 'runs', 'storage'].map(of).join(' ');
  });
}

describe('between two runs', () => {
  test('what waited for its time counts, and a correction that did takes effect', async () => {
    // a 1, b 10, e amended to 20,000, waiting 100,000; c is void by now, d was.
    expect(await used()).toBe('120011 4 70.5');
    expect(await used('org_2')).toBe('7 1 0');
  });

  test.each([
    ['a new event', [ended('f', '2026-03-20T10:00:00Z', 1_000_000)], '1120011 5 70.5'],
    ['a copy of it', [ended('f', '2026-03-20T10:00:00Z', 1_000_000)], '1120011 5 70.5'],
    ['a copy of one that the run has', [ended('a', '2026-03-11T00:00:00Z', 1)], '1120011 5 70.5'],
    ['one that says another thing under its name', [ended('b', '2026-03-19T00:00:00Z', 5)], '1120011 5 70.5'],
    ['a copy of one that the run has as void', [ended('d', '2026-03-14T00:00:00Z', 1000)], '1120011 5 70.5'],
    ['a void of one that the run has', [voided('void a', 'a', '2026-03-24T00:00:00Z')], '1120010 4 70.5'],
    [
      'an amendment of one that the run has',
      [amended('amend b', 'b', '2026-03-24T00:00:00Z', 30)],
      '1120030 4 70.5',
    ],
    [
      'a later amendment of one that the run has as amended',
      [amended('amend e again', 'e', '2026-03-24T00:00:00Z', 40_000)],
      '1140030 4 70.5',
    ],
    [
      'that one taken back',
      [voided('void of it', 'amend e again', '2026-03-24T00:00:00Z', 'event.amended')],
      '1120030 4 70.5',
    ],
    [
      'both taken back: as it first was',
      [voided('void of amend e', 'amend e', '2026-03-24T00:00:00Z', 'event.amended')],
      '1110030 4 70.5',
    ],
    [
      'a void taken back: it counts again',
      [voided('void of void d', 'void d', '2026-03-24T00:00:00Z', 'event.voided')],
      '1111030 5 70.5',
    ],
    ['its copy, once more', [ended('d', '2026-03-14T00:00:00Z', 1000)], '1111030 5 70.5'],
    ['a higher level', [stored('s3', '2026-03-20T00:00:00Z', '80')], '1111030 5 80'],
    [
      'that level void',
      [voided('void s3', 's3', '2026-03-24T00:00:00Z', 'usage.recorded')],
      '1111030 5 70.5',
    ],
    ['a void before its event', [voided('void g', 'g', '2026-03-24T00:00:00Z')], '1111030 5 70.5'],
    ['and the event', [ended('g', '2026-03-20T00:00:00Z', 5)], '1111030 5 70.5'],
  ])('%s', async (_, lines, expected) => {
    expect(await company.ingest(lines)).toMatchObject({ quarantined: 0 });
    expect(await used()).toBe(expected);
  });

  test('a subscription that began after the run has its usage', async () => {
    await company.ingest([started('org_3'), ended('new', '2026-03-24T00:00:00Z', 9, 'org_3')]);
    expect(await used('org_3')).toBe('9 1 0');
    expect(await used('org_unknown')).toBe('- - -');
  });

  test('the next run says the same', { timeout: 600_000 }, async () => {
    const live = await used();
    expect(await usedByRun()).toBe(live);
    expect(await used()).toBe(live);
  });
});
