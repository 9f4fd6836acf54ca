import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { orgUsage } from '../../billing/org-usage.js';
import { parseInstant } from '../../core/time.js';
import { readCatalogText } from '../../platform/catalog-file.js';
import { openCompany, type TestCompany } from '../support/company.js';
import { testSeed } from '../support/test-seed.js';
import { METERED_AS_OF, METERED_CATALOG, meteredHistories } from './metered-companies.js';
import { expectAsDrawn, expectByHand, METERED_LINES, METER_IDS, type InRun } from './prove-aggregations.js';

/* On DuckDB; test/parity holds ClickHouse to the same. */
const SEED = testSeed();
const ORGS = 40;
const LINES = [...METERED_LINES, ...meteredHistories(SEED, ORGS)];

let company: TestCompany;

beforeAll(async () => {
  console.log(`histories of seed ${SEED}`);
  company = await openCompany();
  const reading = readCatalogText(JSON.stringify(METERED_CATALOG), 'metered');
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  await company.runtime.services.publishCatalog(reading.file, 'test');
  const report = await company.ingest(LINES);
  expect(report.quarantined, JSON.stringify(report)).toBe(0);
  await company.transform(METERED_AS_OF);
});
afterAll(() => company.remove());

const inRun: InRun = (work) => company.runtime.services.runs.withRun({}, ({ reader }) => work(reader));

test('as worked out by hand, with the events behind each line', { timeout: 240_000 }, () =>
  expectByHand(inRun),
);

test(
  'of drawn histories, each line is what a second rater says that looks at every event',
  { timeout: 240_000 },
  async () => {
    const found = await expectAsDrawn(inRun, LINES);
    // Every meter is over somewhere.
    expect([...new Set(found.map(({ meterId }) => meterId))].sort()).toEqual(METER_IDS);
  },
);

describe('an open period', () => {
  const usageAt = async (orgId: string, at: string) => {
    const usage = await inRun(async (reader) =>
      orgUsage(await company.runtime.services.catalogs.published(), reader, orgId, parseInstant(at)),
    );
    return new Map(usage.map((one) => [one.meterId, one]));
  };

  test('a level holds until now and no longer: 150.5 GB for 10 of 30 days', async () => {
    const usage = await usageAt('org_2', '2026-04-20T00:00:00Z');
    expect(usage.get('storage')).toMatchObject({
      used: '50.166666666667',
      included: '100',
      remaining: '49.833333333333',
      overage: '0',
      projected: '150.5',
    });
    expect(usage.get('seats')).toMatchObject({ used: '7', remaining: '0', overage: '2', projected: '7' });
  });

  test('values that were seen do not grow by themselves, and what adds up does', async () => {
    const usage = await usageAt('org_1', '2026-03-30T00:00:00Z');
    // Of 31 days 20 are gone.
    expect(usage.get('people')).toMatchObject({ used: '3', remaining: '0.032258064516', projected: '3' });
    expect(usage.get('sessions')).toMatchObject({ used: '4', projected: '6.2' });
  });
});
