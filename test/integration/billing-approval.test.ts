import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type Stripe from 'stripe';
import { z } from 'zod';
import { createApp } from '../../api/app.js';
import type { Services } from '../../api/services.js';
import { billBySchedule } from '../../cli/scheduled-billing.js';
import { parseInstant } from '../../core/time.js';
import type { LocalStripe } from '../../fixtures/stripe/local-stripe.js';
import type { TestCompany } from '../support/company.js';
import { sdkFor, startTestStripe } from '../support/local-stripe.js';
import { openWorkedCompany } from '../support/worked-company.js';

/* Ada owes $5.00 for April: 1,250 tasks of 1,000 included, at $2.00 per 100. Nobody bills more than $4.99 by itself here. */
const Invoices = z.looseObject({
  invoices: z.array(
    z.looseObject({
      bill_id: z.string(),
      month: z.string(),
      state: z.string(),
      approval_reason: z.string().nullable(),
    }),
  ),
});

describe('a bill of more than may go by itself, of an unattended run', () => {
  let server: LocalStripe;
  let stripe: Stripe;
  let company: TestCompany;
  let app: ReturnType<typeof createApp>;

  beforeAll(async () => {
    server = await startTestStripe();
    stripe = sdkFor(server.url, server.secretKey);
    company = await openWorkedCompany({
      STRIPE_SECRET_KEY: server.secretKey,
      HEADGATE_STRIPE_URL: server.url,
      HEADGATE_BILLING_APPROVE_ABOVE: '4.99 USD, 10 EUR',
      HEADGATE_BILLING_SCHEDULE: '0 6 * * *',
      HEADGATE_BILLING_GRACE_HOURS: '30',
    });
    app = createApp(company.runtime.services);
    const { id } = await stripe.customers.create({ name: 'Ada' });
    expect((await call('PUT', '/v1/billing/customers/org_ada', { customer_id: id })).status).toBe(200);
  });
  afterAll(async () => {
    await company.remove();
    await server.stop();
  });

  async function call(method: string, path: string, json?: unknown) {
    const response = await app.request(path, {
      method,
      headers: {
        authorization: `Bearer ${company.runtime.services.localToken}`,
        'content-type': 'application/json',
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    return { status: response.status, body: await response.json() };
  }
  const invoices = async () => Invoices.parse((await call('GET', '/v1/invoices')).body).invoices;
  const atStripe = async () =>
    (await stripe.invoices.list()).data.map(({ status, total }) => [status, total]);
  /** The first time as it is; then without building the same marts again. */
  const scheduledAt = (now: string, changes: Partial<Services> = { transform: built }) =>
    billBySchedule({ ...company.runtime.services, clock: () => parseInstant(now), ...changes });
  const built: Services['transform'] = () => company.runtime.services.runs.choose({});

  test('before the grace has passed, April is not billed', async () => {
    await scheduledAt('2026-05-02T05:59:00Z', {});
    expect(await invoices()).toEqual([]);
  });

  test('after it, the bill is entered and waits; nothing of it is at Stripe', async () => {
    await scheduledAt('2026-05-02T06:00:00Z');
    expect(await invoices()).toMatchObject([
      { month: '2026-04', state: 'awaiting_approval', approval_reason: 'it is of more than $4.99' },
    ]);
    expect(await atStripe()).toEqual([]);
  });

  test('another run neither sends it nor enters it again', async () => {
    await scheduledAt('2026-05-03T06:00:00Z');
    expect(await invoices()).toHaveLength(1);
    expect(await atStripe()).toEqual([]);
  });

  test('approved, with a reason on record, it goes with the next run, once', async () => {
    const [bill] = await invoices();
    const path = `/v1/invoices/${bill?.bill_id ?? ''}/approve`;
    expect((await call('POST', path, {})).status).toBe(400);
    expect(await call('POST', path, { reason: 'looked at it' })).toMatchObject({
      body: { state: 'planned' },
    });
    expect(await call('POST', path, { reason: 'again' })).toMatchObject({
      status: 200,
      body: { state: 'planned' },
    });
    await scheduledAt('2026-05-04T06:00:00Z');
    expect(await invoices()).toMatchObject([{ state: 'finalized' }]);
    expect(await atStripe()).toEqual([['open', 500]]);
    const entries = await company.runtime.services.audit.list();
    expect(entries.filter(({ action }) => action === 'bill.approve').map(({ details }) => details)).toEqual([
      expect.stringContaining('looked at it'),
    ]);
  });

  test('a bill that is unknown, or needs no approval, says so', async () => {
    const unknown = await call('POST', '/v1/invoices/bill_none/approve', { reason: 'x' });
    expect(unknown).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });
});
