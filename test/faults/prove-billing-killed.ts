import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { linkCustomer } from '../../billing/overage-run/customer-links.js';
import { sdkFor, startStripeProcess } from '../support/local-stripe.js';
import { BilledMonths } from './billed-months.js';
import { KilledBillers } from './killed-billers.js';
import { clockOfTest, isServer, openKilledDesk, STRIPE_KEY, type KilledCompany } from './killed-desk.js';
import { currencyOf, orgIds } from './killed-months.js';

export interface BillingKills {
  /** A DATABASE_URL; null: a data directory. */
  readonly databaseUrl: string | null;
  readonly orgs: number;
  readonly kills: number;
  readonly seed: number;
}

/**
 * A billing process is killed (SIGKILL) again and again while it bills one month after the other, and the next one goes on; the last
 * comes to its end. Stripe is a process of its own, which no kill stops in the middle of an answer.
 */
export async function proveBillingKilled({ databaseUrl, orgs, kills, seed }: BillingKills): Promise<void> {
  const startedMs = performance.now();
  const directory = mkdtempSync(join(tmpdir(), 'headgate-billing-killed-'));
  const { child: stripe, url: stripeUrl } = await startStripeProcess(join(directory, 'stripe.state'));
  try {
    const company = { store: databaseUrl ?? join(directory, 'data'), stripeUrl, orgs };
    const customers = await linkedCustomers(company);
    const foreignItemId = await leavePendingItem(stripeUrl, customers);
    const billers = new KilledBillers(company, seed);
    const months = await billers.live(kills);
    const billed = new BilledMonths({ company, customers, months, foreignItemId });
    await billed.expectAtStripe();
    await billed.expectInLedger();
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    console.log(
      `${isServer(company.store) ? 'Postgres' : 'PGlite'}, seed ${seed}: ${billers.story()}; ${months} months of ${orgs} orgs, ` +
        `${await billed.writesAnsweredTwice()} writes answered from their key, ${seconds} s`,
    );
  } finally {
    stripe.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** By org, in their order. */
async function linkedCustomers(company: KilledCompany): Promise<string[]> {
  const { desk, close } = await openKilledDesk(company);
  const stripe = sdkFor(company.stripeUrl, STRIPE_KEY);
  const customerIds: string[] = [];
  for (const orgId of orgIds(company.orgs)) {
    const { id } = await stripe.customers.create({ name: orgId });
    const customer = await desk.readCustomer(id);
    const link = { orgId, customer, collection: { method: 'charge_automatically' }, actor: 'test' } as const;
    await linkCustomer(desk, desk.store.account, link, clockOfTest());
    customerIds.push(id);
  }
  await close();
  return customerIds;
}

/** What somebody else means to bill one of them. */
async function leavePendingItem(stripeUrl: string, [customer = '']: readonly string[]): Promise<string> {
  const item = { customer, amount: 777, currency: currencyOf(0), description: 'a licence' };
  const { id } = await sdkFor(stripeUrl, STRIPE_KEY).invoiceItems.create(item);
  return id;
}
