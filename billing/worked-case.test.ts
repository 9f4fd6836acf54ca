import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseInstant } from '../core/time.js';
import { WORKED_CASE_CATALOG } from '../fixtures/worked-case-catalog.js';
import { WORKED_CASE_EXPECTED } from '../fixtures/worked-case-expected.js';
import { WORKED_CASE_AS_OF, WORKED_CASE_LINES } from '../fixtures/worked-case.js';
import { readCatalogText } from '../platform/catalog-file.js';
import { openCompany, type TestCompany } from '../test/support/company.js';
import { orgUsage } from './org-usage.js';
import { explainOverageLine, previewOverage, type OverageRequest } from './preview-overage.js';

const { overage } = WORKED_CASE_EXPECTED;
const asOf = parseInstant(WORKED_CASE_AS_OF);
let company: TestCompany;
let request: OverageRequest;

beforeAll(async () => {
  company = await openCompany();
  const reading = readCatalogText(JSON.stringify(WORKED_CASE_CATALOG), 'worked');
  if (!reading.ok) throw new Error(JSON.stringify(reading));
  await company.runtime.services.publishCatalog(reading.file, 'test');
  await company.ingest(WORKED_CASE_LINES);
  await company.transform(WORKED_CASE_AS_OF);
  request = {
    catalogs: await company.runtime.services.catalogs.published(),
    ending: { start: parseInstant('2026-04-01T00:00:00Z'), end: parseInstant('2026-05-01T00:00:00Z') },
    asOf,
  };
});
afterAll(() => company.remove());

test("April's only overage is ada's: 1,250 tasks, 1,000 included, 250 over at $2.00 per 100 are $5.00", async () => {
  const plan = await company.runtime.services.runs.withRun({}, ({ reader }) =>
    previewOverage(reader, request),
  );
  expect(plan.totals).toEqual([{ amountMinor: overage.overageMinor, currency: overage.currency }]);
  expect(plan.lines).toHaveLength(1);
  expect(plan.lines[0]).toMatchObject({
    orgId: overage.orgId,
    subscriptionId: 'sub_ada',
    meterId: overage.meter,
    period: { start: parseInstant(overage.periodStart), end: parseInstant(overage.periodEnd) },
    used: overage.used,
    included: overage.included,
    overage: overage.overage,
    events: 3,
    status: 'due',
    amount: { amountMinor: overage.overageMinor, currency: overage.currency },
    isAssumed: false,
    isIncludedAssumed: false,
    catalogVersion: 1n,
  });
});

test('the three runs behind it, each once: not the failed, the voided, the next period’s', async () => {
  const { line, events } = await company.runtime.services.runs.withRun({}, async ({ reader }) => {
    const [first] = (await previewOverage(reader, request)).lines;
    return explainOverageLine(reader, request, first?.lineId ?? '');
  });
  expect(line.orgId).toBe('org_ada');
  expect(events.map(({ eventId, quantity }) => [eventId, quantity])).toEqual([
    ['ada-13', '400.000000000000'],
    ['ada-14', '700.500000000000'],
    ['ada-15', '149.500000000000'],
  ]);
});

test('a line that the period does not have is not explained', async () => {
  const asked = company.runtime.services.runs.withRun({}, ({ reader }) =>
    explainOverageLine(reader, request, 'ovl_unknown'),
  );
  await expect(asked).rejects.toMatchObject({ code: 'not_found', status: 404 });
});

test('other months have no overage, and an org asked for by name has its own alone', async () => {
  const lines = (more: Partial<OverageRequest>) =>
    company.runtime.services.runs.withRun({}, async ({ reader }) =>
      (await previewOverage(reader, { ...request, ...more })).lines.map(({ orgId }) => orgId),
    );
  const march = { start: parseInstant('2026-03-01T00:00:00Z'), end: parseInstant('2026-04-01T00:00:00Z') };
  expect(await lines({ ending: march })).toEqual([]);
  expect(await lines({ orgId: 'org_ada' })).toEqual(['org_ada']);
  expect(await lines({ orgId: 'org_eve' })).toEqual([]);
  // Her period ends on 10 April: a day before, it is nobody's to bill.
  expect(await lines({ asOf: parseInstant('2026-04-09T00:00:00Z') })).toEqual([]);
});

test('her open period on 1 May: 500 of 1,000 used in 21 of 30 days', async () => {
  const usage = await company.runtime.services.runs.withRun({}, ({ reader }) =>
    orgUsage(request.catalogs, reader, 'org_ada', asOf),
  );
  expect(usage).toHaveLength(1);
  // 500 × 30 / 21 = 714.285714285714…
  expect(usage[0]).toMatchObject({
    used: '500',
    included: '1000',
    remaining: '500',
    overage: '0',
    status: 'within',
    projected: '714.285714285714',
    stopPolicy: 'soft',
    period: { start: parseInstant('2026-04-10T00:00:00Z'), end: parseInstant('2026-05-10T00:00:00Z') },
  });
});
