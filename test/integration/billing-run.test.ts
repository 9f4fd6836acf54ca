import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type Stripe from 'stripe';
import { z } from 'zod';
import { createApp } from '../../api/app.js';
import { eventSetDigest } from '../../core/event-set.js';
import type { LocalStripe } from '../../fixtures/stripe/local-stripe.js';
import { WORKED_CASE_AS_OF } from '../../fixtures/worked-case.js';
import type { TestCompany } from '../support/company.js';
import { sdkFor, startTestStripe } from '../support/local-stripe.js';
import { hasStripeMock, refusalOf, startStripeMock } from '../support/stripe-mock.js';
import { openWorkedCompany } from '../support/worked-company.js';

/*
 * Finance's month, through the API, against a local Stripe: link, look, bill, look again. Ada owes $5.00 for April: 1,250 tasks of
 * 1,000 included, at $2.00 per 100.
 */
const MONTH = '2026-04';
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

const Report = z.looseObject({
  is_dry_run: z.boolean(),
  bills: z.array(
    z.looseObject({ bill_id: z.string(), org_id: z.string(), amount_minor: z.string(), lines: z.number() }),
  ),
  waiting: z.array(z.looseObject({ org_id: z.string(), amount_minor: z.string() })),
  held_back: z.array(z.looseObject({ org_id: z.string(), cause: z.string(), message: z.string() })),
  outcomes: z.array(
    z.looseObject({ org_id: z.string(), outcome: z.string(), message: z.string().nullable() }),
  ),
});
const Bills = z.object({
  mode: z.string(),
  invoices: z.array(
    z.looseObject({
      bill_id: z.string(),
      state: z.string(),
      total_minor: z.string(),
      invoice_id: z.string().nullable(),
      problem_code: z.string().nullable(),
    }),
  ),
  next_cursor: z.string().nullable(),
});
const Problem = z.looseObject({ code: z.string(), detail: z.string() });

let server: LocalStripe;
let stripe: Stripe;
let company: TestCompany;
let app: ReturnType<typeof createApp>;
let ada: string;

beforeAll(async () => {
  server = await startTestStripe();
  stripe = sdkFor(server.url, server.secretKey);
  company = await openWorkedCompany({
    STRIPE_SECRET_KEY: server.secretKey,
    HEADGATE_STRIPE_URL: server.url,
    HEADGATE_STRIPE_TIMEOUT_SECONDS: '2',
  });
  await company.transform(WORKED_CASE_AS_OF);
  app = createApp(company.runtime.services);
  ({ id: ada } = await stripe.customers.create({ name: 'Ada' }));
});
afterAll(async () => {
  await company.remove();
  await server.stop();
});

async function call(method: string, path: string, json?: unknown, key = company.runtime.services.localToken) {
  const response = await app.request(path, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  return { status: response.status, body: await response.json() };
}
const run = async (options: object = {}) =>
  Report.parse((await call('POST', '/v1/billing/runs', { month: MONTH, ...options })).body);
const billsNow = async () => Bills.parse((await call('GET', `/v1/invoices?month=${MONTH}`)).body).invoices;
const refusal = async (...given: Parameters<typeof call>) => {
  const { status, body } = await call(...given);
  const { code, detail } = Problem.parse(body);
  return { status, code, detail };
};
const late = (id: string, quantity: string) =>
  JSON.stringify({
    specversion: '1.0',
    ...{
      id,
      source: '/runtime',
      type: 'execution.completed',
      subject: 'org_ada',
      time: '2026-04-09T12:00:00Z',
    },
    data: { executionId: id, packageId: 'digest', durationMs: 5, usage: { tasks: quantity } },
  });

describe('an org without a customer', () => {
  test('is held back, and the message names the command that links one', async () => {
    const report = await run();
    expect(report).toMatchObject({ bills: [], outcomes: [] });
    expect(report.held_back).toMatchObject([{ org_id: 'org_ada', cause: 'no_customer' }]);
    expect(report.held_back[0]?.message).toContain('headgate billing link org_ada');
  });

  test('a customer that Stripe does not have, has deleted, or whose id is none, is refused', async () => {
    const link = (customer_id: string) => refusal('PUT', '/v1/billing/customers/org_ada', { customer_id });
    expect(await link('cus_unknown')).toMatchObject({ status: 404, code: 'not_found' });
    const gone = await stripe.customers.create({});
    await stripe.customers.del(gone.id);
    expect((await link(gone.id)).detail).toContain('was deleted');
    expect(await link('ada')).toMatchObject({ status: 400, code: 'invalid_argument' });
  });

  test('is linked, and its customer pays for no other', async () => {
    expect(await call('PUT', '/v1/billing/customers/org_ada', { customer_id: ada })).toMatchObject({
      status: 200,
      body: { org_id: 'org_ada', customer_id: ada, mode: 'test', collection_method: 'charge_automatically' },
    });
    const other = await refusal('PUT', '/v1/billing/customers/org_bob', { customer_id: ada });
    expect(other).toMatchObject({ status: 409, code: 'conflict' });
    expect(other.detail).toContain('org_ada');
    expect((await call('GET', '/v1/billing/customers')).body).toMatchObject({
      customers: [{ org_id: 'org_ada', customer_id: ada }],
      next_cursor: null,
    });
  });

  test('only a key that may bill links and bills; one that reads, reads', async () => {
    const { keys, clock } = company.runtime.services;
    const { secret } = await keys.create({ name: 'reader', scopes: ['billing:read'] }, 'test', clock());
    const link = await refusal('PUT', '/v1/billing/customers/org_ada', { customer_id: ada }, secret);
    expect(link).toMatchObject({ status: 403, code: 'scope_missing' });
    expect(await refusal('POST', '/v1/billing/runs', { month: MONTH }, secret)).toMatchObject({
      status: 403,
    });
    expect(await call('GET', '/v1/invoices', undefined, secret)).toMatchObject({ status: 200 });
  });
});

describe('a month', () => {
  test('a dry run shows the plan and writes nothing, here or there', async () => {
    const asked = server.requests().length;
    const report = await run({ dry_run: true });
    expect(report).toMatchObject({
      is_dry_run: true,
      bills: [{ org_id: 'org_ada', amount_minor: '500', lines: 1 }],
    });
    expect(await billsNow()).toEqual([]);
    expect(server.requests()).toHaveLength(asked);
  });

  test('a draft on which somebody else put something is not made final, and the cause is named', async () => {
    // Stripe is away when it is to be made final; then a person adds a line in the dashboard.
    server.faults.add({ kind: 'fail_before', method: 'POST', path: '/v1/invoices/*/finalize', times: 100 });
    expect((await run()).outcomes).toMatchObject([{ outcome: 'unfinished' }]);
    server.faults.clear();
    const [draft] = (await stripe.invoices.list({ customer: ada })).data;
    const item = { customer: ada, invoice: draft?.id ?? '', amount: 100, currency: 'usd' };
    const foreign = await stripe.invoiceItems.create(item);
    const { outcomes } = await run();
    expect(outcomes).toMatchObject([{ outcome: 'blocked' }]);
    expect(outcomes[0]?.message).toContain(foreign.id);
    expect(await billsNow()).toMatchObject([
      { state: 'blocked', problem_code: 'foreign', total_minor: '500' },
    ]);
    await stripe.invoiceItems.del(foreign.id);
  }, 60_000);

  test('is billed: one final invoice of $5.00 with one line that says what for', async () => {
    const report = await run();
    expect(report).toMatchObject({ bills: [], outcomes: [{ org_id: 'org_ada', outcome: 'finalized' }] });
    const [bill] = await billsNow();
    expect(bill).toMatchObject({ state: 'finalized', total_minor: '500', problem_code: null });
    const invoice = await stripe.invoices.retrieve(bill?.invoice_id ?? '');
    expect(invoice).toMatchObject({ status: 'open', total: 500, currency: 'usd', customer: ada });
    expect(invoice.lines.data).toMatchObject([
      { amount: 500, description: 'tasks, 2026-03-10 to 2026-04-10: 1250 used, 1000 included, 250 over' },
    ]);
  });

  test('again: nothing', async () => {
    expect(await run()).toMatchObject({ bills: [], waiting: [], held_back: [], outcomes: [] });
    expect((await stripe.invoices.list({ customer: ada })).data).toHaveLength(1);
  });

  test('the line is explained by its events, and rates to the same cents from what it was billed from', async () => {
    const [bill] = await billsNow();
    const { lines } = z
      .object({
        lines: z.array(z.looseObject({ line_id: z.string(), events: z.number(), event_digest: z.string() })),
      })
      .parse((await call('GET', `/v1/invoices/${bill?.bill_id ?? ''}`)).body);
    const [line] = lines;
    const { events } = z
      .object({ events: z.array(z.looseObject({ source: z.string(), event_id: z.string() })) })
      .parse((await call('GET', `/v1/billing/lines/${line?.line_id ?? ''}?month=${MONTH}`)).body);
    expect(events.map(({ event_id: id }) => id)).toEqual(['ada-13', 'ada-14', 'ada-15']);
    const counted = events.map(({ source, event_id: eventId }) => ({ source, eventId }));
    expect(line).toMatchObject({ events: 3, event_digest: eventSetDigest(counted, md5) });
    expect(await call('GET', `/v1/billing/lines/${line?.line_id ?? ''}/replay`)).toMatchObject({
      status: 200,
      body: { is_same: true, entries: [{ entered_minor: '500', is_same: true }] },
    });
  });

  test('reconciled, there is no break; an invoice that was voided by hand still has its lines', async () => {
    const [bill] = await billsNow();
    const path = `/v1/invoices/${bill?.bill_id ?? ''}?reconcile=true`;
    expect((await call('GET', path)).body).toMatchObject({ breaks: [] });
  });

  test('late usage: the difference is billed as the next sequence, and both entries replay', async () => {
    // 100 more at $2.00 per 100.
    await company.ingest([late('ada-late', '100')]);
    await company.transform(WORKED_CASE_AS_OF);
    expect(await run()).toMatchObject({
      bills: [{ org_id: 'org_ada', amount_minor: '200' }],
      outcomes: [{ outcome: 'finalized' }],
    });
    const bills = await billsNow();
    expect(bills.map(({ total_minor: total }) => total).sort()).toEqual(['200', '500']);
    const { data } = await stripe.invoices.list({ customer: ada });
    expect(data.map(({ total, status }) => [total, status]).sort()).toEqual([
      [200, 'open'],
      [500, 'open'],
    ]);
    const [first] = bills;
    const { lines } = z
      .object({ lines: z.array(z.looseObject({ line_id: z.string() })) })
      .parse((await call('GET', `/v1/invoices/${first?.bill_id ?? ''}`)).body);
    expect(await call('GET', `/v1/billing/lines/${lines[0]?.line_id ?? ''}/replay`)).toMatchObject({
      body: { is_same: true, entries: [{ entered_minor: '500' }, { entered_minor: '700' }] },
    });
  });

  test('usage that was taken back is credited on the invoice that charged it', async () => {
    const voided = JSON.stringify({
      specversion: '1.0',
      ...{
        id: 'ada-void',
        source: '/runtime',
        type: 'event.voided',
        subject: 'org_ada',
        time: '2026-04-20T00:00:00Z',
      },
      data: {
        targetType: 'execution.completed',
        targetSource: '/runtime',
        targetId: 'ada-late',
        reason: 'a test',
      },
    });
    await company.ingest([voided]);
    await company.transform(WORKED_CASE_AS_OF);
    const { data: before } = await stripe.invoices.list({ customer: ada });
    const credited = before.find(({ total }) => total === 500)?.id;
    expect(await run()).toMatchObject({
      bills: [{ org_id: 'org_ada', amount_minor: '-200', credits_invoice_id: credited }],
      waiting: [],
      outcomes: [{ outcome: 'finalized' }],
    });
    expect((await call('GET', '/v1/billing/waiting')).body).toMatchObject({ waiting: [] });
    const { data: invoices } = await stripe.invoices.list({ customer: ada });
    expect(invoices.map(({ total, amount_remaining: left }) => [total, left]).sort()).toEqual([
      [200, 200],
      [500, 300],
    ]);
    const note = (await billsNow()).find(({ kind }) => kind === 'credit_note');
    const { data: notes } = await stripe.creditNotes.list({ customer: ada });
    expect(notes.map(({ id, amount, invoice }) => [id, amount, invoice])).toEqual([
      [note?.['credit_note_id'], 200, credited],
    ]);
    const path = `/v1/invoices/${note?.bill_id ?? ''}?reconcile=true`;
    expect((await call('GET', path)).body).toMatchObject({
      invoice: { kind: 'credit_note', total_minor: '-200', invoice_id: credited, payment: null },
      lines: [{ amount_minor: '-200', charged_minor: '0', sequence: 3 }],
      breaks: [],
    });
  });

  test('all of it is in the audit log, whose chain holds', async () => {
    const { audit } = company.runtime.services;
    const actions = (await audit.list())
      .map(({ action }) => action)
      .filter((action) => action.startsWith('bill'));
    expect(actions).toEqual([
      'billing.link',
      ...['bill.enter', 'bill.blocked', 'bill.finalized'],
      ...['bill.enter', 'bill.finalized'],
      ...['bill.enter', 'bill.finalized'],
    ]);
    expect(await audit.verify()).toMatchObject({ ok: true });
  });
});

describe('a key that is not right', () => {
  async function problemWith(settings: Readonly<Record<string, string>>) {
    const other = await openWorkedCompany(settings);
    try {
      const { services } = other.runtime;
      const headers = { authorization: `Bearer ${services.localToken}` };
      return Problem.parse(await (await createApp(services).request('/v1/invoices', { headers })).json());
    } finally {
      await other.remove();
    }
  }

  test('none is set: the message says what to set, and how to try it here', async () => {
    const problem = await problemWith({ STRIPE_SECRET_KEY: '' });
    expect(problem.code).toBe('stripe_not_configured');
    expect(problem.detail).toContain('headgate billing local-stripe');
  });

  test('Stripe does not know it', async () => {
    const settings = { STRIPE_SECRET_KEY: 'sk_test_wrong', HEADGATE_STRIPE_URL: server.url };
    expect((await problemWith(settings)).code).toBe('stripe_key_refused');
  });

  test('a live key does not go to a server that is not Stripe', async () => {
    const settings = { STRIPE_SECRET_KEY: 'sk_live_local', HEADGATE_STRIPE_URL: server.url };
    await expect(problemWith(settings)).rejects.toMatchObject({ code: 'invalid_config' });
  });
});

describe.runIf(hasStripeMock())("held against Stripe's own description of its API", () => {
  test('each request of a month is one that Stripe describes', { timeout: 60_000 }, async () => {
    const mock = await startStripeMock();
    const accepted = server.requests().filter(({ status, replayed }) => status === 200 && !replayed);
    const refusals: string[] = [];
    for (const request of accepted) refusals.push(...(await refusalOf(mock, request)));
    await mock.stop();
    expect([...new Set(refusals)]).toEqual([]);
    const asked = new Set(
      accepted.map(({ method, path }) => `${method} ${path.replace(/(in|cus)_\w+/, '*')}`),
    );
    const needed = ['GET /v1/account', 'GET /v1/customers/*', 'POST /v1/invoices', 'POST /v1/invoiceitems'];
    const ends = ['POST /v1/invoices/*/finalize', 'GET /v1/invoices/*', 'GET /v1/invoices/*/lines'];
    for (const one of [...needed, ...ends, 'POST /v1/credit_notes']) expect(asked).toContain(one);
  });
});

test('while Stripe is away, what was billed can be read, and a run says to come back', async () => {
  server.faults.add({ kind: 'fail_before', times: 1_000 });
  expect((await billsNow()).length).toBe(3);
  expect(await run()).toMatchObject({ outcomes: [] });
  server.faults.clear();
});
