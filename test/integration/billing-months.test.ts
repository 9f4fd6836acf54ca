import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eq } from 'drizzle-orm';
import type Stripe from 'stripe';
import { openBillingDesk, type BillingDesk } from '../../billing/billing-desk.js';
import { NO_APPROVAL } from '../../billing/overage-run/approval.js';
import { checkBill } from '../../billing/overage-run/check-bill.js';
import { linkCustomer } from '../../billing/overage-run/customer-links.js';
import { runOverages } from '../../billing/overage-run/overage-run.js';
import { entriesOf, listBills, listWaiting } from '../../billing/overage-run/read-bills.js';
import { replayEntries } from '../../billing/overage-run/replay-line.js';
import { moneyOfStripe } from '../../platform/outbound/stripe/stripe-amounts.js';
import { usageOfRun } from '../../billing/overage-run/usage-of-run.js';
import { explainOverageLine, previewOverage, ratedLines } from '../../billing/preview-overage.js';
import { startOfDay } from '../../core/calendar.js';
import { eventSetDigest } from '../../core/event-set.js';
import {
  addMonths,
  dateInUtc,
  formatDate,
  parseInstant,
  startOfMonth,
  type Period,
} from '../../core/time.js';
import type { LocalStripe } from '../../fixtures/stripe/local-stripe.js';
import { loadConfig } from '../../platform/config.js';
import { billLines } from '../../platform/sql/billing-schema.js';
import { sdkFor, startTestStripe } from '../support/local-stripe.js';
import { openMeasuredCompany, type MeasuredCompany } from '../support/measured-company.js';
import { md5 } from '../support/rating.js';

/*
 * Each catalog's company, with every fault on: its last months are billed, one after the other, and close with nothing between what was
 * rated and what stands at Stripe.
 */
const CATALOGS = ['fleetprompt', 'frontier', 'chatbot', 'nexus'];
const MONTHS = 6;
const EXPLAINED = 10;

interface Month {
  readonly name: string;
  readonly ending: Period;
}

describe.each(CATALOGS)('the months of %s', { timeout: 120_000 }, (name) => {
  let server: LocalStripe;
  let measured: MeasuredCompany;
  let desk: BillingDesk;
  let stripe: Stripe;
  const linked = new Set<string>();
  /** What the previews of all months say, by currency. */
  const owed = new Map<string, bigint>();
  beforeAll(async () => {
    [server, measured] = await Promise.all([startTestStripe(), openMeasuredCompany(name)]);
    const { sql, audit, clock, shutdown } = measured.company.runtime.services;
    const { stripe: config } = loadConfig({
      STRIPE_SECRET_KEY: server.secretKey,
      HEADGATE_STRIPE_URL: server.url,
    });
    const own = {
      holder: 'test',
      onProgress: () => undefined,
      onUnexpected: console.error,
      signal: shutdown.signal,
    };
    desk = await openBillingDesk({ ...{ config, sql, audit, clock }, ...own });
    stripe = sdkFor(server.url, server.secretKey);
  });
  afterAll(async () => {
    await measured.company.remove();
    await server.stop();
  });

  function lastMonths(): Month[] {
    const { endsAt, catalog } = measured;
    const firstOfNext = startOfMonth(dateInUtc(parseInstant(endsAt)));
    return Array.from({ length: MONTHS }, (_, index) => {
      const first = addMonths(firstOfNext, index - MONTHS);
      const ending = {
        start: startOfDay(first, catalog.zone),
        end: startOfDay(addMonths(first, 1), catalog.zone),
      };
      return { name: formatDate(first), ending };
    });
  }

  /** A customer for each org, as somebody would have set them up. */
  async function link(orgIds: readonly string[]): Promise<void> {
    const { sql, audit, clock } = measured.company.runtime.services;
    for (const orgId of orgIds.filter((one) => !linked.has(one))) {
      const { id } = await stripe.customers.create({ name: orgId });
      const customer = { customerId: id, name: orgId, currency: null };
      const collection = { method: 'charge_automatically' } as const;
      await linkCustomer(
        { sql, audit },
        desk.store.account,
        { orgId, customer, collection, actor: 'test' },
        clock(),
      );
      linked.add(orgId);
    }
  }

  const withRun = <Result>(
    work: Parameters<typeof measured.company.runtime.services.runs.withRun<Result>>[1],
  ) => measured.company.runtime.services.runs.withRun({}, work);

  test('what each month’s preview says is on final invoices, or waits; and nobody pays twice', async () => {
    const { services } = measured.company.runtime;
    const catalogs = await services.catalogs.published();
    for (const { name: month, ending } of lastMonths()) {
      await withRun(async ({ run, reader }) => {
        const rating = { catalogs, ending, asOf: run.asOf };
        const preview = await previewOverage(reader, rating);
        await link(preview.lines.map(({ orgId }) => orgId));
        for (const { currency, amountMinor } of preview.totals) {
          owed.set(currency, (owed.get(currency) ?? 0n) + amountMinor);
        }
        const usage = usageOfRun({ run, reader }, { catalogs, ending }, services.runs);
        const request = { month, ending, orgId: null, approval: NO_APPROVAL, actor: 'test' };
        const { plan, outcomes } = await runOverages(usage, request, desk);
        expect(plan.heldBack).toEqual([]);
        expect(outcomes.filter(({ outcome }) => outcome !== 'finalized')).toEqual([]);
        const again = await runOverages(usage, request, desk);
        expect(again).toEqual({
          plan: { bills: [], carried: [], movements: [], heldBack: [] },
          outcomes: [],
        });
      });
    }
    const { account } = desk.store;
    const billed = new Map<string, bigint>();
    const add = (currency: string, amountMinor: bigint) =>
      billed.set(currency, (billed.get(currency) ?? 0n) + amountMinor);
    for await (const { currency, total, status } of stripe.invoices.list({ limit: 100 })) {
      expect(status).toBe('open');
      add(currency.toUpperCase(), moneyOfStripe(BigInt(total), currency.toUpperCase()).amountMinor);
    }
    for (const { currency, amountMinor } of await listWaiting(services.sql, account, {
      after: null,
      limit: 1_000,
    })) {
      add(currency, amountMinor);
    }
    const nonZero = (map: ReadonlyMap<string, bigint>) =>
      [...map].filter(([, amount]) => amount !== 0n).sort();
    expect(nonZero(billed)).toEqual(nonZero(owed));
    console.log(
      `${name}: ${nonZero(owed)
        .map(([currency, amount]) => `${amount} ${currency}`)
        .join(', ')}`,
    );
  });

  test('reconciliation is zero', async () => {
    const { sql } = measured.company.runtime.services;
    const bills = await listBills(sql, desk.store.account, {}, { after: null, limit: 1_000 });
    for (const bill of bills) expect(await checkBill(bill, desk)).toEqual([]);
    // A company of this size may have stayed within everything that it holds: then nothing is billed.
    expect(bills.length > 0).toBe(owed.size > 0);
  });

  test('lines are explained by their events, and rate to the same cents', async () => {
    const { services } = measured.company.runtime;
    const catalogs = await services.catalogs.published();
    const lines = await services.sql.database
      .select()
      .from(billLines)
      .where(eq(billLines.kind, 'usage'))
      .limit(EXPLAINED);
    for (const { lineId, orgId, periodEnd } of lines) {
      const rating = { catalogs, ending: { start: periodEnd - 1n, end: periodEnd }, orgId };
      const entries = await entriesOf(services.sql, desk.store.account, lineId);
      const replayed = await replayEntries(entries, () =>
        withRun(async ({ run, reader }) => {
          const all = await ratedLines(reader, { ...rating, asOf: run.asOf });
          return all.find((line) => line.lineId === lineId) ?? null;
        }),
      );
      expect(replayed.map(({ isSame }) => isSame)).toEqual(entries.map(() => true));
      const { events } = await withRun(({ run, reader }) =>
        explainOverageLine(reader, { ...rating, asOf: run.asOf }, lineId),
      );
      expect(eventSetDigest(events, md5)).toBe(entries.at(-1)?.eventDigest);
    }
    expect(lines.length > 0).toBe(owed.size > 0);
  });
});
