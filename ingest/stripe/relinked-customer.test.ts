import { afterAll, beforeAll, expect, test } from 'vitest';
import type Stripe from 'stripe';
import type { LocalStripe } from '../../fixtures/stripe/local-stripe.js';
import { stripeCustomerLinks, stripeInvoices, webhookInbox } from '../../platform/sql/stripe-schema.js';
import { payingCustomer, priceFor, startStillStripe, StripeCompany } from '../../test/support/stripe-bed.js';

/*
 * An org paid by one customer, and by another from some day on. The first one's subscription and its open invoice go on at Stripe, and
 * are the org's as before.
 */
let local: LocalStripe;
let stripe: Stripe;
let company: StripeCompany;
let first: string;
let second: string;
let subscription: Stripe.Subscription;
let openInvoiceId: string;

beforeAll(async () => {
  local = await startStillStripe();
  company = await StripeCompany.open(local);
  stripe = company.stripe;
  await company.arrive();
  await company.listen();
  first = await payingCustomer(stripe);
  second = await payingCustomer(stripe);
  await company.link('org_ada', first);
  const price = await priceFor(stripe, 'growth', 4_900);
  subscription = await stripe.subscriptions.create({ customer: first, items: [{ price }] });
  openInvoiceId = await openInvoice();
  await company.arrive();
  await company.link('org_ada', second);
}, 60_000);
afterAll(async () => {
  await company.close();
  await local.stop();
});

async function openInvoice(): Promise<string> {
  const { id } = await stripe.invoices.create({
    ...{ customer: first, collection_method: 'send_invoice', days_until_due: 30 },
    auto_advance: false,
  });
  await stripe.invoiceItems.create({ customer: first, invoice: id, amount: 700, currency: 'usd' });
  await stripe.invoices.finalizeInvoice(id);
  return id;
}

const database = () => company.bed.runtime.services.sql.database;
const statusOf = async (id: string) =>
  (await database().select().from(stripeInvoices)).find(({ invoiceId }) => invoiceId === id)?.status;
const typesOfAda = async () =>
  (await company.events()).filter(({ subject }) => subject === 'org_ada').map(({ type }) => type);

test('what is paid and canceled at the customer that paid before is told of its org, and nothing waits', async () => {
  expect(await statusOf(openInvoiceId)).toBe('open');
  await stripe.invoices.pay(openInvoiceId, { paid_out_of_band: true });
  await stripe.subscriptions.cancel(subscription.id);
  await company.arrive();
  expect(await statusOf(openInvoiceId)).toBe('paid');
  expect(await typesOfAda()).toContain('subscription.canceled');
  const states = (await database().select().from(webhookInbox)).map(({ state }) => state);
  expect(states).not.toContain('waiting');
}, 60_000);

test('a backfill asks for the customer that paid before, too', async () => {
  const answer = await company.bed.call({ path: '/v1/billing/backfills', json: {} });
  expect(answer.json()).toMatchObject({ customers: 2, subscriptions: 1, invoices: 2, waiting: 0 });
}, 60_000);

test('it can pay for its org again, and for no other org, ever', async () => {
  const refused = await company.link('org_bob', first);
  expect(refused.status).toBe(409);
  expect(refused.problem()).toMatchObject({ code: 'conflict' });
  expect(refused.problem().detail).toContain('org_ada');
  expect((await company.link('org_ada', first)).status).toBe(200);
  expect((await company.link('org_bob', second)).status).toBe(409);
  const links = (await database().select().from(stripeCustomerLinks)).map(({ orgId }) => orgId);
  expect(links).toEqual(['org_ada', 'org_ada']);
});

test('of two orgs that are linked to one customer at once, one is refused', async () => {
  const third = await payingCustomer(stripe);
  const answers = await Promise.all([company.link('org_cem', third), company.link('org_dan', third)]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
});

test('a link that stood can not be changed or taken away', async () => {
  await expect(database().update(stripeCustomerLinks).set({ orgId: 'org_bob' })).rejects.toThrow();
  await expect(database().delete(stripeCustomerLinks)).rejects.toThrow();
});
