import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { WORKED_CASE_EXPECTED } from '../../fixtures/worked-case-expected.js';
import { WORKED_CASE_AS_OF } from '../../fixtures/worked-case.js';
import { packagePath } from '../../platform/package-path.js';
import { drill } from '../../transforms/drill.js';
import { metricNamed } from '../../transforms/metric-registry.js';
import { metricValues } from '../../transforms/metric-values.js';
import { apiOf } from '../support/api.js';
import { openCompany, type TestCompany } from '../support/company.js';
import { unpackDirectory } from '../support/data-directory-archive.js';

/** A data directory of version 0.1.0, at another place than it was made in. */
let company: TestCompany;
beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), 'headgate-old-'));
  await unpackDirectory(packagePath('fixtures', 'data-directory-v1.tar.br'), directory);
  expect(existsSync(join(directory, 'version.json'))).toBe(true);
  company = await openCompany(directory);
});
afterAll(() => company.remove());

/** Marks that came with later versions. */
const Marked = z.object({ is_assumed: z.boolean().nullish(), is_owner_assumed: z.boolean().nullish() });

async function mrrByMonth(): Promise<
  { month: string | null; currency: string | null; closeMinor: bigint | null }[]
> {
  return company.runtime.services.runs.withRun({}, async ({ reader }) => {
    const values = await metricValues(metricNamed('mrr'), { limit: 100 }, reader);
    return values
      .filter(({ currency }) => currency === 'USD')
      .map(({ period, currency, value }) => ({ month: period, currency, closeMinor: value }));
  });
}

const expected = WORKED_CASE_EXPECTED.mrrClose
  .filter(({ currency }) => currency === 'USD')
  .map(({ month, currency, closeMinor }) => ({ month, currency, closeMinor }));

test('its run answers, without another transform', async () => {
  expect(await mrrByMonth()).toEqual(expected);
});

test('its run can be drilled', async () => {
  const april = { month: '2026-04-01', currency: 'USD' };
  const sum = await company.runtime.services.runs.withRun({}, async ({ reader }) => {
    let amount = 0n;
    for await (const rows of drill(metricNamed('mrr'), april, reader)) {
      for (const row of rows) amount += BigInt(row.amount);
    }
    return amount;
  });
  expect(sum).toBe(31_600n);
});

test('its lists answer, and say of a mark that is younger than the run that it is not known', async () => {
  const api = apiOf(company);
  const { leads } = await api.get('/v1/leads', z.object({ leads: z.array(Marked) }));
  const { targets } = await api.get('/v1/targets', z.object({ targets: z.array(Marked) }));
  for (const lead of leads) expect(lead.is_assumed).toBeNull();
  for (const target of targets) expect(target.is_owner_assumed).toBeNull();
});

test('it takes one more event, and its next run counts it', async () => {
  // A seventh org that pays 50 dollars from the middle of April.
  const gus = {
    specversion: '1.0',
    id: 'gus-1',
    source: '/billing',
    type: 'subscription.started',
    subject: 'org_gus',
    time: '2026-04-15T00:00:00Z',
    data: {
      subscriptionId: 'sub_gus',
      currency: 'USD',
      items: [
        {
          itemId: 'si_gus',
          kind: 'plan',
          productId: 'other',
          quantity: 1,
          unitAmountMinor: 5_000,
          interval: 'month',
          intervalCount: 1,
        },
      ],
    },
  };
  expect(await company.ingest([JSON.stringify(gus)])).toMatchObject({ accepted: 1 });
  await company.transform(WORKED_CASE_AS_OF);
  expect(await mrrByMonth()).toEqual(
    expected.map((row) => (row.month === '2026-04-01' ? { ...row, closeMinor: 36_600n } : row)),
  );
});
