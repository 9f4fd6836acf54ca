import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseInstant } from '../core/time.js';
import { readCatalogText } from '../platform/catalog-file.js';
import { openCompany, type TestCompany } from '../test/support/company.js';
import { catalogDocument, pack, plan } from '../test/support/rating.js';
import { orgUsage } from './org-usage.js';
import { explainOverageLine, previewOverage, type OverageRequest } from './preview-overage.js';
import type { OverageLine } from './overage-plan.js';

/*
 * What counts, from lines of a file to a line of the preview, through ingest, corrections and facts. org_1 has had the plan since
 * 10 March; all that follows is in its period to 10 April. Each meter has a price of one cent and no allowance, so that cents say
 * what was counted.
 */
const CENT = { model: 'per_unit', amount: '0.01', currency: 'USD' };
const executions = (more: object) => ({
  name: 'A meter',
  unit: 'unit',
  stream: 'executions',
  eventType: 'execution.completed',
  aggregation: 'sum',
  ...more,
});
const METERS = {
  ops: executions({ key: 'ops' }),
  runs: executions({ aggregation: 'count' }),
  attempts: executions({ aggregation: 'count', billsFailed: true }),
  begun: executions({ eventType: 'execution.started', aggregation: 'count', billsFailed: true }),
  with_ops: executions({ aggregation: 'count', key: 'ops' }),
  digest_ops: executions({ key: 'ops', filter: { packageId: ['digest', 'report'] } }),
  api_calls: executions({ eventType: 'usage.recorded', key: 'calls' }),
  storage: executions({ eventType: 'usage.recorded', key: 'storage', aggregation: 'max' }),
};
const document = catalogDocument({
  meters: METERS,
  plans: {
    pro: plan({
      overage: Object.fromEntries(Object.keys(METERS).map((id) => [id, CENT])),
      ownKey: { allowed: true, uncountedMeters: ['digest_ops'] },
    }),
  },
  packages: { digest: pack(), report: pack(), other: pack() },
});

function line(id: string, type: string, time: string, data: object, subject = 'org_1'): string {
  return JSON.stringify({ specversion: '1.0', id, source: '/t', type, subject, time, data });
}
const ended = (
  id: string,
  time: string,
  more: object = {},
  type = 'execution.completed',
  subject = 'org_1',
) => line(id, type, time, { executionId: `run_${id}`, packageId: 'digest', durationMs: 5, ...more }, subject);
const recorded = (id: string, time: string, meter: string, quantity: string | number) =>
  line(id, 'usage.recorded', time, { meter, quantity });
const correction = (
  id: string,
  type: string,
  targetId: string,
  more: object = {},
  targetType = 'execution.completed',
) =>
  line(id, type, '2026-04-20T00:00:00Z', {
    targetType,
    targetSource: '/t',
    targetId,
    reason: 'wrong',
    ...more,
  });
const started = (orgId: string) =>
  line(
    `sub ${orgId}`,
    'subscription.started',
    '2026-03-10T00:00:00Z',
    {
      subscriptionId: `sub_${orgId}`,
      currency: 'USD',
      items: [
        {
          itemId: 'si',
          kind: 'plan',
          productId: 'pro',
          quantity: 1,
          unitAmountMinor: 4900,
          interval: 'month',
          intervalCount: 1,
        },
      ],
    },
    orgId,
  );

const LINES = [
  started('org_1'),
  started('org_internal'),
  line('org', 'org.upserted', '2026-03-01T00:00:00Z', { flags: ['internal'] }, 'org_internal'),
  ended(
    'internal',
    '2026-03-11T00:00:00Z',
    { usage: { ops: '1000' } },
    'execution.completed',
    'org_internal',
  ),
  ended('begun', '2026-03-11T00:00:00Z', { durationMs: undefined }, 'execution.started'),
  // 0.1 + 0.2 + 12345678901234567.25, more digits than a double has.
  ended('a', '2026-03-11T00:00:00Z', { usage: { ops: '0.1' } }),
  ended('b', '2026-03-31T23:59:59Z', { usage: { ops: 0.2 } }),
  ended('c', '2026-04-01T00:00:00Z', { usage: { ops: '12345678901234567.25' }, packageId: 'other' }),
  ended('c', '2026-04-01T00:00:00Z', { usage: { ops: '12345678901234567.25' }, packageId: 'other' }),
  ended('own', '2026-04-01T00:00:00Z', { usage: { ops: '7' }, byoKey: true }),
  ended('none', '2026-04-02T00:00:00Z', { usage: { tokens: '9' } }),
  ended('failed', '2026-04-02T00:00:00Z', { usage: { ops: '500' } }, 'execution.failed'),
  ended('canceled', '2026-04-02T00:00:00Z', { usage: { ops: '500' } }, 'execution.canceled'),
  ended('voided', '2026-04-02T00:00:00Z', { usage: { ops: '500' } }),
  correction('v', 'event.voided', 'voided'),
  ended('amended', '2026-04-03T00:00:00Z', { usage: { ops: '500' } }),
  correction('m', 'event.amended', 'amended', {
    data: { executionId: 'run_amended', packageId: 'report', durationMs: 5, usage: { ops: '3' } },
  }),
  ended('before', '2026-03-09T23:59:59.999999Z', { usage: { ops: '1000' } }),
  ended('after', '2026-04-10T00:00:00Z', { usage: { ops: '1000' } }),
  recorded('calls1', '2026-03-15T00:00:00Z', 'calls', '100'),
  recorded('calls2', '2026-03-31T00:00:00Z', 'calls', 50),
  recorded('gb1', '2026-03-15T00:00:00Z', 'storage', '80.5'),
  recorded('gb2', '2026-04-09T00:00:00Z', 'storage', '120.25'),
  recorded('gb3', '2026-04-09T12:00:00Z', 'storage', '900'),
  correction('gbv', 'event.voided', 'gb3', {}, 'usage.recorded'),
];

let company: TestCompany;
let request: OverageRequest;
let lines: ReadonlyMap<string, OverageLine>;

beforeAll(async () => {
  company = await openCompany();
  const reading = readCatalogText(JSON.stringify(document), 'metered');
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  await company.runtime.services.publishCatalog(reading.file, 'test');
  const report = await company.ingest(LINES);
  expect(report.quarantined, JSON.stringify(report)).toBe(0);
  await company.transform('2026-05-01T00:00:00Z');
  request = {
    catalogs: await company.runtime.services.catalogs.published(),
    ending: { start: parseInstant('2026-04-01T00:00:00Z'), end: parseInstant('2026-05-01T00:00:00Z') },
    asOf: parseInstant('2026-05-01T00:00:00Z'),
  };
  const plan_ = await company.runtime.services.runs.withRun({}, ({ reader }) =>
    previewOverage(reader, request),
  );
  lines = new Map(plan_.lines.map((one) => [one.meterId, one]));
});
afterAll(() => company.remove());

describe('what a meter counts', () => {
  test.each([
    // a 0.1, b 0.2, c, own 7, amended to 3
    ['ops', '12345678901234577.55', 5],
    // besides these five, the one that used no operations
    ['runs', '6', 6],
    ['attempts', '7', 7],
    // A failed run was started too; counting it again would bill it twice.
    ['begun', '1', 1],
    ['with_ops', '5', 5],
    // Of digest and report, less the customer's own key: 0.1 + 0.2 + 3.
    ['digest_ops', '3.3', 3],
    ['api_calls', '150', 2],
    ['storage', '120.25', 2],
  ])('%s: %s in %i events', (meterId, used, events) => {
    expect(lines.get(meterId)).toMatchObject({ orgId: 'org_1', used, overage: used, events });
  });

  test('an org of our own is billed nothing', () => {
    expect([...lines.values()].filter(({ orgId }) => orgId === 'org_internal')).toEqual([]);
  });

  test('to the cent: 123,456,789,012,345.7755 dollars', () => {
    expect(lines.get('ops')?.amount).toEqual({ amountMinor: 12345678901234578n, currency: 'USD' });
  });
});

test.each(Object.keys(METERS))('the events that explain %s come to what it says', async (meterId) => {
  const line_ = lines.get(meterId);
  const { line: again, events } = await company.runtime.services.runs.withRun({}, ({ reader }) =>
    explainOverageLine(reader, request, line_?.lineId ?? ''),
  );
  expect(again).toEqual(line_);
  expect(events).toHaveLength(line_?.events ?? 0);
  const scaled = events.map(({ quantity }) => BigInt(quantity.replace('.', '')));
  const sum = scaled.reduce((total, one) => total + one, 0n);
  const most = scaled.reduce((highest, one) => (one > highest ? one : highest), 0n);
  const [whole = '', part = ''] = (line_?.used ?? '').split('.');
  expect(meterId === 'storage' ? most : sum).toBe(BigInt(whole + part.padEnd(12, '0')));
});

test('many meters are one pass over the facts of the months asked about', async () => {
  const plans: string[] = [];
  await company.runtime.services.runs.withRun({}, async ({ reader }) => {
    const watched: typeof reader = {
      ...reader,
      query: (sql, parameters, schema) => {
        plans.push(sql);
        return reader.query(sql, parameters, schema);
      },
    };
    await previewOverage(watched, request);
  });
  const usage = plans.filter((sql) => sql.includes('execution'));
  expect(usage).toHaveLength(1);
  expect(usage[0]?.match(/read_parquet/g)).toHaveLength(1);
  expect(usage[0]).toContain('day >= ');
});

test('an org’s open period: what is used, what is left, where it leads', async () => {
  const usage = await company.runtime.services.runs.withRun({}, ({ reader }) =>
    orgUsage(request.catalogs, reader, 'org_1', parseInstant('2026-04-25T00:00:00Z')),
  );
  // 10 April to 10 May, 15 of 30 days gone: 1,000 operations become 2,000.
  expect(usage.find(({ meterId }) => meterId === 'ops')).toMatchObject({
    used: '1000',
    included: '0',
    remaining: '0',
    overage: '1000',
    projected: '2000',
    status: 'due',
    stopPolicy: 'soft',
    period: { start: parseInstant('2026-04-10T00:00:00Z'), end: parseInstant('2026-05-10T00:00:00Z') },
  });
  const nobody = await company.runtime.services.runs.withRun({}, ({ reader }) =>
    orgUsage(request.catalogs, reader, 'org_unknown', request.asOf),
  );
  expect(nobody).toEqual([]);
});
