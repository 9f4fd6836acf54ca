import { afterAll, beforeAll, expect, test } from 'vitest';
import type Stripe from 'stripe';
import { z } from 'zod';
import { createApp } from '../../api/app.js';
import type { LocalStripe } from '../../fixtures/stripe/local-stripe.js';
import { WORKED_CASE_AS_OF } from '../../fixtures/worked-case.js';
import { rawTable } from '../../platform/warehouse/raw-tables.js';
import { apiOf } from '../support/api.js';
import type { TestCompany } from '../support/company.js';
import { sdkFor, startTestStripe } from '../support/local-stripe.js';
import { openWorkedCompany } from '../support/worked-company.js';

/*
 * Ada's April from bill to revenue: $5.00 over what is included (1,250 tasks of 1,000, at $2.00 per 100, from 10 March to 10 April). Her
 * card fails first and pays then, and what was paid is overage of April in the marts.
 */
const Invoices = z.looseObject({
  invoices: z.array(
    z.looseObject({
      invoice_id: z.string(),
      payment: z
        .looseObject({ status: z.string(), dunning: z.string(), pauses_at: z.string().nullable() })
        .nullable(),
    }),
  ),
});
const EventRow = z.object({ type: z.string(), id: z.string(), data: z.string() });
const Stream = z.object({ amount_minor: z.bigint() });

let local: LocalStripe;
let stripe: Stripe;
let company: TestCompany;
let api: ReturnType<typeof apiOf>;
let customer: string;

beforeAll(async () => {
  local = await startTestStripe();
  stripe = sdkFor(local.url, local.secretKey);
  company = await openWorkedCompany({
    STRIPE_SECRET_KEY: local.secretKey,
    HEADGATE_STRIPE_URL: local.url,
    HEADGATE_STRIPE_TIMEOUT_SECONDS: '5',
  });
  await company.transform(WORKED_CASE_AS_OF);
  api = apiOf(company);
  ({ id: customer } = await stripe.customers.create({ name: 'Ada' }));
}, 240_000);
afterAll(async () => {
  await company.remove();
  await local.stop();
});

const backfill = () => api.post('/v1/billing/backfills', {}, z.looseObject({ failed: z.number() }));
const invoice = async () => {
  const [first] = (await api.get('/v1/invoices?month=2026-04', Invoices)).invoices;
  if (first === undefined) throw new Error('nothing was billed');
  return first;
};
const overageOfApril = async (): Promise<bigint> => {
  const rows = await company.runtime.services.runs.withRun({}, ({ reader }) =>
    reader.query(
      `select amount_minor from ${reader.relation}.revenue_streams
       where stream = 'overage' and currency = 'USD' and month = date '2026-04-01'`,
      {},
      Stream,
    ),
  );
  return rows.reduce((sum, { amount_minor: amount }) => sum + amount, 0n);
};
async function link(): Promise<void> {
  const { services } = company.runtime;
  const answer = await createApp(services).request('/v1/billing/customers/org_ada', {
    method: 'PUT',
    headers: { authorization: `Bearer ${services.localToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ customer_id: customer }),
  });
  expect(answer.status).toBe(200);
}

test('a bill that Stripe has told nothing of says nothing of its payment', async () => {
  await link();
  await api.post('/v1/billing/runs', { month: '2026-04' }, z.looseObject({}));
  expect((await invoice()).payment).toBeNull();
});

test('a payment that fails is past due, until when its grace lasts; then it is paid', async () => {
  const { invoice_id: invoiceId } = await invoice();
  const bad = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer });
  await stripe.invoices.pay(invoiceId, { payment_method: bad.id }).catch(() => undefined);
  expect(await backfill()).toMatchObject({ invoices: 1, failed: 0 });
  const { payment } = await invoice();
  expect(payment).toMatchObject({
    ...{ status: 'open', dunning: 'past_due', remaining_minor: '500', paid_minor: '0', attempts: 1 },
  });
  expect(payment?.pauses_at).not.toBeNull();
  const good = await stripe.paymentMethods.attach('pm_card_visa', { customer });
  await stripe.invoices.pay(invoiceId, { payment_method: good.id });
  await backfill();
  expect((await invoice()).payment).toMatchObject({
    ...{ status: 'paid', dunning: 'current', remaining_minor: '0', paid_minor: '500', attempts: 2 },
  });
});

test('the invoice is overage with its service period, and its payments are told, each once', async () => {
  const { invoice_id: invoiceId } = await invoice();
  const rows = await company.runtime.services.warehouse.query(
    `SELECT type, id, data FROM ${rawTable('billing')} WHERE source LIKE 'stripe/%' ORDER BY type`,
    {},
    EventRow,
  );
  expect(rows.map(({ type }) => type)).toEqual([
    'invoice.finalized',
    'invoice.paid',
    // Stripe's times are whole seconds: on a quick machine both payments are of one.
    'invoice.payment_failed',
  ]);
  expect(JSON.parse(rows[0]?.data ?? '')).toMatchObject({
    ...{ invoiceId, currency: 'USD', totalMinor: 500 },
    lines: [
      {
        ...{ kind: 'overage', productId: 'tasks', amountMinor: 500 },
        ...{ periodStart: '2026-03-10T00:00:00Z', periodEnd: '2026-04-10T00:00:00Z' },
      },
    ],
  });
});

test('revenue follows: April has $5.00 more of overage', async () => {
  const before = await overageOfApril();
  await company.transform('2099-01-01T00:00:00Z');
  expect((await overageOfApril()) - before).toBe(500n);
}, 240_000);
