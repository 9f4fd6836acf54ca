import { afterAll, beforeAll, expect, test } from 'vitest';
import type Stripe from 'stripe';
import type { LocalStripe } from '../../fixtures/stripe/local-stripe.js';
import { payingCustomer, priceFor, startStillStripe, StripeCompany } from '../../test/support/stripe-bed.js';
import { catchUp } from './catch-up.js';
import type { StripeInbox } from './stripe-inbox.js';

const HOUR = 3_600;
let local: LocalStripe;
let stripe: Stripe;
let company: StripeCompany;
let inbox: StripeInbox;

beforeAll(async () => {
  local = await startStillStripe();
  company = await StripeCompany.open(local);
  stripe = company.stripe;
  await company.arrive();
  inbox = await company.bed.runtime.services.stripeInbox();
}, 60_000);
afterAll(async () => {
  await company.close();
  await local.stop();
});

async function subscribe(orgId: string): Promise<void> {
  const customer = await payingCustomer(stripe);
  await company.link(orgId, customer);
  const price = await priceFor(stripe, 'growth', 4_900);
  await stripe.subscriptions.create({ customer, items: [{ price }] });
}

async function lookForMissed(): Promise<void> {
  await catchUp(inbox, company.bed.runtime.services.clock);
  await inbox.drain();
}

const orgsTold = async () => [...new Set((await company.events()).map(({ subject }) => subject))].sort();

test('the first webhook after an outage does not hide what was missed in it, nor does a look that failed', async () => {
  await lookForMissed();
  await company.pass(2 * HOUR);
  await subscribe('org_missed');
  await company.pass(5 * HOUR);
  await subscribe('org_after');
  const [newest] = (await stripe.events.list({ type: 'invoice.paid', limit: 1 })).data;
  await company.post(JSON.stringify(newest));
  await company.arrive();
  expect(await orgsTold()).toEqual(['org_after']);
  local.faults.add({ kind: 'fail_before', method: 'GET', times: 1_000 });
  await expect(lookForMissed()).rejects.toMatchObject({ code: 'stripe_unavailable' });
  local.faults.clear();
  await company.pass(2 * HOUR);
  await lookForMissed();
  expect(await orgsTold()).toEqual(['org_after', 'org_missed']);
}, 60_000);

test('what was looked through is not asked for again, but for an hour of it', async () => {
  await lookForMissed();
  await company.pass(2 * HOUR);
  await lookForMissed();
  const [asked] = local
    .requests()
    .filter(({ path }) => path === '/v1/events')
    .slice(-1);
  const since = local.clock.now() - 3 * HOUR;
  expect(JSON.stringify(asked?.parameters)).toContain(String(since));
});
