import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Catalog } from '../../core/catalog.js';
import { validateEvent } from '../../core/events/validate-event.js';
import { parseJsonExact } from '../../core/json.js';
import { parseInstant } from '../../core/time.js';
import type { Truth } from '../../fixtures/generator/truth.js';
import type { RunReader } from '../../platform/warehouse/warehouse.js';
import { expectedCommissions } from '../oracles/commission-oracle.js';
import { expectedScores } from '../oracles/lead-score-oracle.js';
import { standingEvents, type StandingEvent } from '../oracles/standing-events.js';
import type { TestCompany } from '../support/company.js';
import { openMeasuredCompany } from '../support/measured-company.js';

/*
 * What the simulation knows, worked out from its own state and not by SQL, against what the marts say. With every fault on: late
 * events, duplicates, conflicts, corrections and malformed lines must change nothing.
 */
/** No line is refused for lying in the future. */
const LAST_INSTANT = parseInstant('2299-12-31T00:00:00Z');

/** What the contract refuses stands nowhere: it is in quarantine. */
function isAccepted(line: string): boolean {
  const parsed = parseJsonExact(line);
  return parsed.ok && validateEvent(parsed.value, LAST_INSTANT).ok;
}

const Row = z.record(z.string(), z.unknown());
const text = (value: unknown): string => String(value);

async function rows(reader: RunReader, sql: string): Promise<string[]> {
  const found = await reader.query(sql, {}, Row);
  return found.map((row) => Object.values(row).map(text).join(' ')).sort();
}

describe.each(['fleetprompt', 'frontier', 'chatbot', 'nexus'])('%s', (name) => {
  let company: TestCompany;
  let truth: Truth;
  let runId: string;
  let catalog: Catalog;
  let events: readonly StandingEvent[];
  let endsAt: string;

  beforeAll(async () => {
    const measured = await openMeasuredCompany(name);
    ({ company, truth, catalog, endsAt } = measured);
    events = standingEvents(measured.lines.filter(isAccepted), endsAt);
    runId = await company.runtime.services.runs.withRun({}, ({ run }) => Promise.resolve(run.runId));
  });
  afterAll(() => company.remove());

  const inMarts = (sql: (relation: string) => string): Promise<string[]> =>
    company.runtime.services.runs.withRun({ runId }, ({ reader }) => rows(reader, sql(reader.relation)));

  test('MRR by customer, currency and month', async () => {
    const expected = truth.mrr.map((row) =>
      [row.month, row.orgId, row.currency, row.openMinor, row.closeMinor].join(' '),
    );
    const actual = await inMarts(
      (
        r,
      ) => `select cast(month as varchar) as month, org_id, currency, open_minor, close_minor from ${r}.mrr_customer_months
              where open_minor <> 0 or close_minor <> 0`,
    );
    expect(actual).toEqual(expected.sort());
    expect(actual.length).toBeGreaterThan(50);
  });

  test('the movement of every customer and month', async () => {
    const expected = truth.movements.map((row) =>
      [row.month, row.orgId, row.currency, row.movement, row.amountMinor].join(' '),
    );
    const actual = await inMarts(
      (
        r,
      ) => `select cast(month as varchar) as month, org_id, currency, movement, cast(sum(amount_minor) as bigint) as amount_minor
              from ${r}.mrr_movements group by all having sum(amount_minor) <> 0`,
    );
    expect(actual).toEqual(expected.filter((line) => !line.endsWith(' 0')).sort());
  });

  test('twelve-month retention, by currency', async () => {
    const expected = truth.retention.map((row) =>
      [row.month, row.currency, row.baseMinor, row.nowMinor, row.cappedMinor, row.baseCustomers].join(' '),
    );
    const actual = await inMarts(
      (
        r,
      ) => `select cast(month as varchar) as month, currency, base_minor, now_minor, capped_minor, base_customers
              from ${r}.retention_months where window_months = 12 and dimension = 'all' and currency not like 'reporting:%' and base_minor <> 0`,
    );
    expect(actual).toEqual(expected.filter((line) => line.split(' ')[2] !== '0').sort());
  });

  test('active orgs, their installs, and attach by package', async () => {
    expect(
      await inMarts(
        (r) =>
          `select cast(month as varchar) as month, active_orgs, active_installs from ${r}.attach_months where dimension = 'all'`,
      ),
    ).toEqual(truth.attach.map((row) => [row.month, row.activeOrgs, row.activeInstalls].join(' ')).sort());
    const attached = await inMarts(
      (
        r,
      ) => `select cast(month as varchar) as month, item_id, eligible_orgs, attached_orgs from ${r}.attach_packages
              where item_kind = 'package' and attached_orgs > 0`,
    );
    const expected = truth.attachPackages
      .filter((row) => row.attachedOrgs > 0)
      .map((row) => [row.month, row.packageId, row.eligibleOrgs, row.attachedOrgs].join(' '));
    expect(attached).toEqual(expected.sort());
  });

  test('median time to first value', async () => {
    const expected = truth.firstValue
      .filter((row) => row.installs > 0)
      .map((row) =>
        [row.packageId, row.installs, row.reached, row.competing, row.censored, row.medianSeconds]
          .map(text)
          .join(' '),
      );
    const actual = await inMarts(
      (
        r,
      ) => `select package_id, installs, reached, competing, censored, median_seconds from ${r}.first_value_summary
              where plan_id = 'all' and channel = 'all' and install_month = 'all' and installs > 0`,
    );
    expect(actual).toEqual(expected.sort());
  });

  test('commissions by invoice line and partner, by a second implementation', async () => {
    const expected = expectedCommissions(events, catalog);
    const actual = await inMarts(
      (
        r,
      ) => `select invoice_id, invoice_line_id, partner_id, cast(sum(amount_minor) as bigint) as amount_minor
              from ${r}.commission_lines group by all`,
    );
    const earned = new Map(
      actual.map((line) => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]),
    );
    const keyOf = (line: (typeof expected)[number]): string =>
      [line.invoiceId, line.lineId, line.partnerId].join(' ');
    expect(expected.filter((line) => !earned.has(keyOf(line))).map(keyOf)).toEqual([]);
    const sums = expected.filter(({ amountMinor }) => amountMinor !== null);
    expect(sums.map((line) => [keyOf(line), earned.get(keyOf(line))])).toEqual(
      sums.map((line) => [keyOf(line), text(line.amountMinor)]),
    );
  });

  test('the score of every lead, by a second implementation', async () => {
    const expected = expectedScores(events, catalog, endsAt);
    const actual = await inMarts((r) => `select lead_id, score from ${r}.lead_scores`);
    expect(actual).toEqual([...expected].map(([leadId, score]) => `${leadId} ${score}`).sort());
  });
});
