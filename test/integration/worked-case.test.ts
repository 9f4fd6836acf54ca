import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explainOverageLine, previewOverage } from '../../billing/preview-overage.js';
import { eventSetDigest } from '../../core/event-set.js';
import { formatInstant, parseInstant } from '../../core/time.js';
import { WORKED_CASE_EXPECTED as EXPECTED } from '../../fixtures/worked-case-expected.js';
import { WORKED_CASE_AS_OF } from '../../fixtures/worked-case.js';
import type { RunAccess } from '../../transforms/run-access.js';
import type { Run } from '../../transforms/run-store.js';
import { hasClickHouse, startClickHouse, type ClickHouse } from '../support/clickhouse.js';
import { openClickHouseCompany, TopicFeed, type ClickHouseCompany } from '../support/clickhouse-company.js';
import type { TestCompany } from '../support/company.js';
import { exportedRows, linesOf, type ExportedRow } from '../support/mart-rows.js';
import { exportMarts, exportRun } from '../support/marts-export.js';
import { openWorkedCompany } from '../support/worked-company.js';
import { md5 } from '../support/rating.js';

/*
 * Six orgs over four months whose numbers were worked out by hand (fixtures/worked-case.ts), on both engines.
 */
let company: TestCompany;
let run: Run;

beforeAll(async () => {
  company = await openWorkedCompany();
  run = await company.transform(WORKED_CASE_AS_OF);
});
afterAll(() => company.remove());

function expectByHand(marts: ReadonlyMap<string, string>): void {
  const rows = (mart: string): ExportedRow[] => exportedRows(marts, mart);
  const total = (row: ExportedRow): boolean => row['dimension'] === 'all';
  const isReporting = (row: ExportedRow): boolean => String(row['currency']).startsWith('reporting:');

  const closes = rows('mrr_months').filter((row) => total(row) && !isReporting(row));
  expect(linesOf(closes, ['month', 'currency', 'close_minor'])).toEqual(
    expect.arrayContaining(
      linesOf(
        EXPECTED.mrrClose.map((row) => ({ ...row, close_minor: row.closeMinor })),
        ['month', 'currency', 'close_minor'],
      ),
    ),
  );
  const paying = rows('mrr_customer_months').filter((row) => row['close_minor'] !== '0');
  for (const { month, currency, customers } of EXPECTED.mrrClose) {
    const found = paying.filter((row) => row['month'] === month && row['currency'] === currency);
    expect([month, currency, found.length]).toEqual([month, currency, customers]);
  }
  const reporting = rows('mrr_months').filter((row) => total(row) && row['currency'] === 'reporting:USD');
  expect(linesOf(reporting, ['month', 'close_minor', 'customers_close'])).toEqual(
    linesOf(EXPECTED.reportingClose, ['month', 'closeMinor', 'customers']),
  );
  expect(
    linesOf(rows('mrr_movements'), ['month', 'org_id', 'currency', 'movement', 'cause', 'amount_minor']),
  ).toEqual(linesOf(EXPECTED.movements, ['month', 'orgId', 'currency', 'movement', 'cause', 'amountMinor']));
  const retained = rows('retention_months').filter((row) => total(row) && !isReporting(row));
  const retention = ['base_minor', 'now_minor', 'capped_minor', 'nrr_ppm', 'grr_ppm'];
  expect(linesOf(retained, ['month', 'window_months', 'currency', ...retention])).toEqual(
    expect.arrayContaining(
      linesOf(EXPECTED.retention, [
        'month',
        'windowMonths',
        'currency',
        'baseMinor',
        'nowMinor',
        'cappedMinor',
        'nrrPpm',
        'grrPpm',
      ]),
    ),
  );
  expectProductByHand(rows);
}

function expectProductByHand(rows: (mart: string) => ExportedRow[]): void {
  const attached = rows('attach_months').filter((row) => row['dimension'] === 'all');
  expect(linesOf(attached, ['month', 'active_orgs', 'active_installs', 'packages_per_org_ppm'])).toEqual(
    linesOf(EXPECTED.attach, ['month', 'activeOrgs', 'activeInstalls', 'packagesPerOrgPpm']),
  );
  const packages = rows('attach_packages').filter((row) => row['item_kind'] === 'package');
  expect(linesOf(packages, ['month', 'item_id', 'eligible_orgs', 'attached_orgs'])).toEqual(
    linesOf(EXPECTED.attachPackages, ['month', 'packageId', 'eligibleOrgs', 'attachedOrgs']),
  );
  const values = rows('first_value_summary').filter(
    (row) =>
      row['package_id'] !== '(org)' &&
      row['plan_id'] === 'all' &&
      row['channel'] === 'all' &&
      row['install_month'] === 'all',
  );
  const counts = ['installs', 'reached', 'competing', 'censored'];
  expect(linesOf(values, ['package_id', ...counts, 'median_seconds', 'reached_15m_ppm'])).toEqual(
    linesOf(EXPECTED.firstValue, ['packageId', ...counts, 'medianSeconds', 'reached15mPpm']),
  );
  // A reversal takes back from both payments; which of them it names, the case leaves open.
  const lines = rows('commission_lines').map((row) =>
    row['kind'] === 'reversal' ? { ...row, payment_id: null } : row,
  );
  const commission = ['partner_id', 'payment_id', 'refund_id', 'kind', 'amount_minor', 'earned_at'];
  expect(linesOf(lines, commission)).toEqual(
    linesOf(EXPECTED.commissions, ['partnerId', 'paymentId', 'refundId', 'kind', 'amountMinor', 'earnedAt']),
  );
  const held = EXPECTED.commissions.filter(({ holdUntil }) => holdUntil !== null);
  expect(linesOf(lines, ['payment_id', 'hold_until'])).toEqual(
    expect.arrayContaining(linesOf(held, ['paymentId', 'holdUntil'])),
  );
  for (const line of rows('commission_lines')) expect(line['status']).toBe('due');
}

test('on DuckDB, every number is what the hand came to', async () => {
  expectByHand(await exportMarts(company, run));
});

/** The overage line, and the three executions behind it. */
async function expectOverageByHand(runs: RunAccess): Promise<void> {
  const { overage } = EXPECTED;
  const request = {
    catalogs: await company.runtime.services.catalogs.published(),
    ending: { start: parseInstant('2026-04-01T00:00:00Z'), end: parseInstant('2026-05-01T00:00:00Z') },
    asOf: parseInstant(WORKED_CASE_AS_OF),
  };
  await runs.withRun({}, async ({ reader }) => {
    const { lines, totals } = await previewOverage(reader, request);
    const [line] = lines;
    expect(lines).toHaveLength(1);
    expect(line).toMatchObject({
      orgId: overage.orgId,
      meterId: overage.meter,
      used: overage.used,
      included: overage.included,
      overage: overage.overage,
      status: 'due',
      amount: { amountMinor: overage.overageMinor, currency: overage.currency },
    });
    expect(totals).toEqual([{ amountMinor: overage.overageMinor, currency: overage.currency }]);
    expect([line?.period.start, line?.period.end].map((at) => formatInstant(at ?? 0n))).toEqual([
      overage.periodStart,
      overage.periodEnd,
    ]);
    const { events } = await explainOverageLine(reader, request, line?.lineId ?? '');
    expect(events.map(({ eventId, quantity }) => [eventId, Number(quantity)])).toEqual([
      ['ada-13', 400],
      ['ada-14', 700.5],
      ['ada-15', 149.5],
    ]);
    expect(line?.eventDigest).toBe(eventSetDigest(events, md5));
  });
}

test('on DuckDB, the overage line is what the hand came to', async () => {
  await expectOverageByHand(company.runtime.services.runs);
});

describe.runIf(hasClickHouse())('on ClickHouse', () => {
  let clickHouse: ClickHouse;
  let other: ClickHouseCompany;
  beforeAll(async () => {
    clickHouse = await startClickHouse();
    const { catalogs, warehouse } = company.runtime.services;
    other = await openClickHouseCompany(clickHouse, { catalogs, database: 'worked' });
    await new TopicFeed(warehouse, other.warehouse).deliver();
    await other.transform(WORKED_CASE_AS_OF);
  });
  afterAll(async () => {
    await other.stop();
    await clickHouse.stop();
  });

  test('every number is what the hand came to', async () => {
    expectByHand(await exportRun(other.runs, await other.runs.choose({})));
  });

  test('the overage line is what the hand came to', () => expectOverageByHand(other.runs));
});
