import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openApiTestBed, NOW, type ApiTestBed } from '../api-test-bed.js';
import { publishHandMadeRun } from '../hand-made-run.js';
import { getMetric } from '../../api/metrics/get-metric.js';
import { metrics } from '../../transforms/metric-registry.js';
import { readAll } from '../read-all.js';
import { mrrRow, SMALL_RUN } from '../small-run.js';

let bed: ApiTestBed;
beforeAll(async () => {
  bed = await openApiTestBed();
  await publishHandMadeRun(bed.runtime, { asOf: NOW, rows: SMALL_RUN });
});
afterAll(() => bed.close());

describe('metrics', () => {
  const Values = z.looseObject({
    run_id: z.string(),
    values: z.array(
      z.object({
        period: z.string().nullable(),
        currency: z.string().nullable(),
        dimensions: z.record(z.string(), z.string()),
        value: z.string().nullable(),
        numerator: z.string().nullable(),
        denominator: z.string().nullable(),
        is_complete: z.boolean().nullable(),
      }),
    ),
    next_cursor: z.string().nullable(),
  });
  const values = async (query: string, metric = 'mrr') =>
    (await bed.call({ path: `/v1/metrics/${metric}?${query}` })).as(Values).values;

  test('answer what the mart holds: totals, a breakdown, one member, a window of months', async () => {
    const totals = await values('');
    expect(totals.map(({ period, value }) => [period, value])).toEqual([
      ['2026-01-01', '1000'],
      ['2026-02-01', '2000'],
      ['2026-03-01', '3000'],
      ['2026-04-01', '4000'],
      ['2026-05-01', '5000'],
    ]);
    expect(totals.map(({ is_complete: isComplete }) => isComplete)).toEqual([true, true, true, true, false]);
    expect((await values('from=2026-02-01&to=2026-04-01')).map(({ value }) => value)).toEqual([
      '2000',
      '3000',
    ]);
    expect(
      (await values('by=plan&from=2026-05-01')).map(({ dimensions, value }) => [dimensions, value]),
    ).toEqual([
      [{ plan: 'growth' }, '3000'],
      [{ plan: 'starter' }, '2000'],
    ]);
    expect((await values('where[plan]=starter&to=2026-02-01')).map(({ value }) => value)).toEqual(['400']);
    expect(await values('currency=EUR')).toEqual([]);
  });

  test('a week that is not over says so, as a month does', async () => {
    const weeks = await values('', 'package_executions');
    expect(weeks.map(({ period, is_complete: isComplete }) => [period, isComplete])).toEqual([
      ['2026-05-25', true],
      ['2026-06-01', false],
    ]);
  });

  test('page by page give what they give at once', async () => {
    const whole = await values('by=plan');
    expect(whole).toHaveLength(10);
    expect(await readAll(bed, '/v1/metrics/mrr?by=plan', 'values', 3)).toEqual(whole);
  });

  test('are the same the second time, and of the new run once it is published', async () => {
    const before = (await bed.call({ path: '/v1/metrics/mrr' })).text;
    expect((await bed.call({ path: '/v1/metrics/mrr' })).text).toBe(before);
    const next = await publishHandMadeRun(bed.runtime, {
      asOf: NOW + 3_000_000n,
      rows: { mrr_months: [mrrRow('2026-01', 'all', 'all', 7)] },
    });
    const after = (await bed.call({ path: '/v1/metrics/mrr' })).as(Values);
    expect([after.run_id, after.values.map(({ value }) => value)]).toEqual([next, ['7']]);
    const past = await bed.call({ path: '/v1/metrics/mrr?as_of=2026-06-01T12:00:00Z' });
    expect(past.as(Values).values).toHaveLength(5);
  });

  test('have the shape that the description promises, though they are not parsed by it', async () => {
    const answer: unknown = (await bed.call({ path: '/v1/metrics/mrr' })).json();
    const parsed = z.looseObject({ values: z.array(z.unknown()), metric: z.unknown() }).parse(answer);
    expect(Object.keys(parsed).sort()).toEqual(
      Object.keys(z.looseObject({}).parse(Reflect.get(getMetric.answer, 'shape'))).sort(),
    );
  });

  test('refuse what would change nothing: a currency where there is none, days where there are no periods', async () => {
    const noCurrency = metrics.find(({ currency }) => currency === undefined);
    const noPeriod = metrics.find(({ period }) => period === undefined);
    for (const [metric, query] of [
      [noCurrency, 'currency=USD'],
      [noPeriod, 'from=2026-01-01'],
    ] as const) {
      if (metric === undefined) continue;
      const answer = await bed.call({ path: `/v1/metrics/${metric.name}?${query}` });
      expect([metric.name, answer.status]).toEqual([metric.name, 400]);
    }
  });

  test('name the nearest dimension, and take one at a time', async () => {
    const near = (await bed.call({ path: '/v1/metrics/mrr?by=plans' })).problem();
    expect([near.code, near.detail.includes('did you mean "plan"')]).toEqual(['unknown_dimension', true]);
    const two = await bed.call({ path: '/v1/metrics/mrr?where[plan]=a&where[segment]=b' });
    expect(two.problem().code).toBe('unknown_dimension');
  });

  test('a drill names the parameters that it takes, and refuses others', async () => {
    const unknown = (
      await bed.call({ path: '/v1/metrics/mrr/drill?month=2026-05-01&currency=USD&colour=red' })
    ).problem();
    expect([unknown.code, unknown.detail.includes('colour')]).toEqual(['invalid_argument', true]);
    const missing = (await bed.call({ path: '/v1/metrics/mrr/drill' })).problem();
    expect(missing.code).toBe('invalid_argument');
    expect(missing.details?.['parameters']).toContain('month');
    const noDay = await bed.call({ path: '/v1/metrics/mrr/drill?month=2026-05&currency=USD' });
    expect([noDay.status, noDay.problem().detail]).toEqual([
      400,
      'drill of mrr: month "2026-05" is not a day; write 2026-05-01',
    ]);
  });
});

describe('text from outside never becomes SQL', () => {
  const HOSTILE = [
    "' or '1'='1",
    "'; drop table lead_scores; --",
    '" or 1=1 --',
    '$limit',
    '%',
    '_',
    '\\',
    "lead_00' union select secret_hash from api_keys --",
  ];

  test.each(HOSTILE)('%s finds nothing, breaks nothing', async (text) => {
    const value = encodeURIComponent(text);
    const paths = [
      ['/v1/leads?owner=', 'leads'],
      ['/v1/commissions?partner=', 'commissions'],
      ['/v1/orgs?segment=', 'orgs'],
      ['/v1/orgs?plan=', 'orgs'],
      ['/v1/targets?owner=', 'targets'],
      ['/v1/metrics/mrr?currency=', 'values'],
      ['/v1/metrics/mrr?where[plan]=', 'values'],
      ['/v1/quarantine?source=', 'events'],
      ['/v1/quarantine?reason=', 'events'],
    ] as const;
    for (const [path, field] of paths) {
      const answer = await bed.call({ path: `${path}${value}` });
      // A parameter with a limit of its own may be too long; whatever fits is looked for and not found.
      const isTooLong = answer.status === 400 && answer.problem().code === 'invalid_argument';
      expect([path, isTooLong || answer.status === 200]).toEqual([path, true]);
      if (!isTooLong) expect(z.looseObject({}).parse(answer.json())[field]).toEqual([]);
    }
    for (const path of [
      `/v1/leads/${value}/score`,
      `/v1/orgs/${value}`,
      `/v1/metrics/${value}`,
      `/v1/runs/${value}`,
    ]) {
      expect([path, (await bed.call({ path })).status]).toEqual([path, 404]);
    }
    for (const place of [
      `mrr/drill?currency=USD&month=${value}`,
      `mrr/drill?currency=USD&month=2026-05-01&dimension=${value}&member=x`,
      `mrr/drill?currency=USD&month=2026-05-01&${value}=x`,
    ]) {
      expect([place, (await bed.call({ path: `/v1/metrics/${place}` })).status]).toEqual([place, 400]);
    }
    const dimension = await bed.call({ path: `/v1/metrics/mrr?by=${value}` });
    expect(['unknown_dimension', 'invalid_argument']).toContain(dimension.problem().code);
    const asOf = '2026-06-01T12:00:00Z';
    expect(
      (await bed.call({ path: `/v1/leads?limit=200&as_of=${asOf}` })).as(
        z.looseObject({ leads: z.array(z.unknown()) }),
      ).leads,
    ).toHaveLength(23);
  });
});
