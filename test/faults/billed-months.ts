import { expect } from 'vitest';
import type Stripe from 'stripe';
import { z } from 'zod';
import { NO_APPROVAL } from '../../billing/overage-run/approval.js';
import { planOverages } from '../../billing/overage-run/overage-run.js';
import { reconcileBill } from '../../billing/overage-run/reconcile-bill.js';
import { idOf } from '../../platform/outbound/stripe/id-of.js';
import { INTENT_MARK } from '../../platform/outbound/intent.js';
import { billLines, bills, carryMovements, outboundIntents } from '../../platform/sql/billing-schema.js';
import { sdkFor } from '../support/local-stripe.js';
import type { BillingDesk } from '../../billing/billing-desk.js';
import { openKilledDesk, STRIPE_KEY, type KilledCompany } from './killed-desk.js';
import { METERS, monthAt, owed, usageOf } from './killed-months.js';

const Requests = z.object({ data: z.array(z.object({ replayed: z.boolean() })) });
/** The most that the SDK lists at once. */
const ALL = 10_000;

/** What must be billed, once, of everything that is owed. */
export class BilledMonths {
  private readonly stripe: Stripe;

  constructor(
    private readonly given: {
      readonly company: KilledCompany;
      /** Customers at Stripe, in the order of their orgs. */
      readonly customers: readonly string[];
      readonly months: number;
      /** The one thing at Stripe that is not ours, and pending. */
      readonly foreignItemId: string;
    },
  ) {
    this.stripe = sdkFor(given.company.stripeUrl, STRIPE_KEY);
  }

  /** As Stripe lists it; our store is not asked. */
  async expectAtStripe(): Promise<void> {
    const { foreignItemId, customers } = this.given;
    const invoices = await this.invoices();
    const items = await this.stripe.invoiceItems.list({ limit: 100 }).autoPagingToArray({ limit: ALL });
    const ours = items.filter(({ id }) => id !== foreignItemId);
    expect(items.filter(({ id }) => id === foreignItemId)).toMatchObject([
      { invoice: null, amount: 777, customer: customers[0] },
    ]);
    const found = invoices.map(({ id, customer, status, currency, total }) => ({
      ...{ customer: idOf(customer), status, currency, total },
      items: ours
        .filter(({ invoice }) => idOf(invoice) === id)
        .map(itemText)
        .sort(),
    }));
    expect(sorted(found)).toEqual(sorted(this.expectedInvoices()));
    expect(ours).toHaveLength(this.expectedInvoices().length * METERS.length);
    const { data: pending } = await this.stripe.invoiceItems.list({ pending: true, limit: 100 });
    expect(pending.map(({ id }) => id)).toEqual([foreignItemId]);
    expect((await this.stripe.creditNotes.list()).data).toEqual([]);
    const marks = [...invoices, ...ours].map(({ metadata }) => metadata?.[INTENT_MARK]);
    expect(marks).not.toContain(undefined);
    expect(new Set(marks).size).toBe(marks.length);
    expect(sums(invoices.map(({ currency, total }) => [currency, BigInt(total)]))).toEqual(
      this.expectedSums(),
    );
  }

  /** Our books say the same as Stripe, bill by bill, and nothing is left to do. */
  async expectInLedger(): Promise<void> {
    const { desk, close } = await openKilledDesk(this.given.company);
    try {
      await this.expectBooks(desk);
      for (let index = 0; index < this.given.months; index += 1) {
        const request = { ...monthAt(index), orgId: null, approval: NO_APPROVAL };
        expect(await planOverages(usageOf(index, this.given.company.orgs), request, desk)).toEqual({
          ...{ bills: [], carried: [], movements: [], heldBack: [] },
        });
      }
    } finally {
      await close();
    }
  }

  /** Writes that came again, and were told what the first had made. */
  async writesAnsweredTwice(): Promise<number> {
    const answer = await fetch(`${this.given.company.stripeUrl}/_local/requests`);
    const { data } = Requests.parse(await answer.json());
    return data.filter(({ replayed }) => replayed).length;
  }

  private async expectBooks(desk: BillingDesk): Promise<void> {
    const { database } = desk.sql;
    const kept = await database.select().from(bills);
    const invoiceIds = (await this.invoices()).map(({ id }) => id);
    expect(kept.map(({ invoiceId }) => invoiceId).sort()).toEqual(invoiceIds.sort());
    expect(kept.filter(({ state }) => state !== 'finalized')).toEqual([]);
    for (const bill of kept) expect(await reconcileBill(bill, 'test', desk)).toEqual([]);
    const entered = await database.select().from(billLines);
    expect(entered).toHaveLength(kept.length * METERS.length);
    expect(sums(entered.map(({ currency, amountMinor }) => [currency.toLowerCase(), amountMinor]))).toEqual(
      this.expectedSums(),
    );
    expect(await database.select().from(carryMovements)).toEqual([]);
    const intents = await database.select().from(outboundIntents);
    expect(intents.filter(({ state }) => state !== 'done')).toEqual([]);
  }

  private invoices(): Promise<Stripe.Invoice[]> {
    return this.stripe.invoices.list({ limit: 100 }).autoPagingToArray({ limit: ALL });
  }

  /** For each org and month one, final, with each meter once. */
  private expectedInvoices() {
    const { months, customers } = this.given;
    return Array.from({ length: months }, (_, index) =>
      customers.map((customer, org) => {
        const amounts = METERS.map((_meter, meter) => owed(index, org, meter));
        const [start, end] = [Date.UTC(2020, index, 1) / 1_000, Date.UTC(2020, index + 1, 1) / 1_000];
        return {
          ...{ customer, status: 'open', currency: amounts[0]?.currency.toLowerCase() },
          total: amounts.reduce((sum, { amountMinor }) => sum + Number(amountMinor), 0),
          items: amounts
            .map(({ amountMinor, currency }, meter) =>
              [METERS[meter], amountMinor, currency.toLowerCase(), start, end].join(' '),
            )
            .sort(),
        };
      }),
    ).flat();
  }

  private expectedSums(): ReadonlyMap<string, bigint> {
    return sums(this.expectedInvoices().map(({ currency, total }) => [currency ?? '', BigInt(total)]));
  }
}

function itemText({ metadata, amount, currency, period }: Stripe.InvoiceItem): string {
  return [metadata?.['meter'], amount, currency, period.start, period.end].join(' ');
}

function sorted<One>(all: readonly One[]): One[] {
  return [...all].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

function sums(
  amounts: readonly (readonly [currency: string, amount: bigint])[],
): ReadonlyMap<string, bigint> {
  const sum = new Map<string, bigint>();
  for (const [currency, amount] of amounts) sum.set(currency, (sum.get(currency) ?? 0n) + amount);
  return sum;
}
