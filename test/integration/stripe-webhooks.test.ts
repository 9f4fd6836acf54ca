import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type Stripe from 'stripe';
import { z } from 'zod';
import { compareText } from '../../core/compare.js';
import type { LocalStripe } from '../../fixtures/stripe/local-stripe.js';
import type { LoggedRequest } from '../../fixtures/stripe/request-log.js';
import { stripeInvoices, webhookInbox } from '../../platform/sql/stripe-schema.js';
import { hasStripeMock, refusalOf, startStripeMock } from '../support/stripe-mock.js';
import { payingCustomer, priceFor, startStillStripe, StripeCompany } from '../support/stripe-bed.js';

/*
 * One customer's life at Stripe, told by webhooks to one company as it happens; another hears the same out of order and twice; a third
 * never hears anything and asks for the past. All three must know the same.
 */
const State = z.looseObject({
  status: z.string(),
  items: z.array(z.looseObject({ productId: z.string(), quantity: z.number(), unitAmountMinor: z.number() })),
});
const Parameters = z.record(z.string(), z.unknown());
const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');
const DAY = 86_400;
const MONTH = 31 * DAY;

let local: LocalStripe;
let stripe: Stripe;
let told: StripeCompany;
let ada: string;

beforeAll(async () => {
  local = await startStillStripe();
  told = await StripeCompany.open(local);
  stripe = told.stripe;
  await told.listen();
  ada = await payingCustomer(stripe);
  await told.link('org_ada', ada);
  await liveAMonthOrSo();
}, 120_000);
afterAll(async () => {
  await told.close();
  await local.stop();
});

async function newestInvoice(): Promise<Stripe.Invoice> {
  const [invoice] = (await stripe.invoices.list({ customer: ada, limit: 1 })).data;
  if (invoice === undefined) throw new Error('there is no invoice');
  return invoice;
}

async function paymentOf(invoice: Stripe.Invoice): Promise<string> {
  const [payment] = (await stripe.invoicePayments.list({ invoice: invoice.id })).data;
  const intent = payment?.payment.payment_intent;
  return typeof intent === 'string' ? intent : '';
}

async function liveAMonthOrSo(): Promise<void> {
  const growth = await priceFor(stripe, 'growth', 4_900);
  const created = await stripe.subscriptions.create({ customer: ada, items: [{ price: growth }] });
  await told.arrive();
  await told.pass(10 * DAY);
  const [item] = created.items.data;
  await stripe.subscriptions.update(created.id, {
    items: [{ id: item?.id ?? '', quantity: 3 }],
    proration_behavior: 'none',
  });
  // Of the first invoice a dollar is credited; its payment is disputed, and a day later lost.
  await creditAndDispute(await newestInvoice());
  // Renewed, drafted, and an hour later made final and paid: 3 × $49.00.
  await told.pass(20 * DAY);
  await told.pass(2 * 3_600);
  const paid = await newestInvoice();
  await stripe.refunds.create({ payment_intent: await paymentOf(paid), amount: 500 });
  await told.arrive();
  await stripe.subscriptions.update(created.id, { pause_collection: { behavior: 'void' } });
  await told.pass(DAY);
  await stripe.subscriptions.update(created.id, { pause_collection: '' });
  await told.pass(DAY);
  // The next month's card fails: at once, after three days, and after five more.
  const failing = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: ada });
  await stripe.customers.update(ada, { invoice_settings: { default_payment_method: failing.id } });
  await told.pass(MONTH - 2 * DAY);
  await told.pass(2 * 3_600);
  await told.pass(3 * DAY);
  const open = await newestInvoice();
  await stripe.invoices.voidInvoice(open.id);
  await stripe.subscriptions.cancel(created.id);
  await told.arrive();
}

async function creditAndDispute(invoice: Stripe.Invoice): Promise<void> {
  const line = invoice.lines.data[0]?.id ?? '';
  await stripe.creditNotes.create({
    ...{ invoice: invoice.id, credit_amount: 100 },
    lines: [{ type: 'invoice_line_item', invoice_line_item: line, amount: 100 }],
  });
  const { latest_charge: charge } = await stripe.paymentIntents.retrieve(await paymentOf(invoice));
  const opened = await fetch(`${local.url}/_local/disputes`, {
    method: 'POST',
    body: JSON.stringify({ charge }),
  });
  const { id } = z.object({ id: z.string() }).parse(await opened.json());
  await told.pass(DAY);
  await stripe.disputes.close(id);
  await told.arrive();
}

const inbox = (company: StripeCompany) =>
  company.bed.runtime.services.sql.database.select().from(webhookInbox);
const mirror = async (company: StripeCompany) =>
  (await company.bed.runtime.services.sql.database.select().from(stripeInvoices))
    .map((row) => ({ ...row, askedAt: 0n }))
    .sort((a, b) => (a.invoiceId < b.invoiceId ? -1 : 1));

describe('what happens at Stripe', () => {
  test('becomes events of the org, each once, in the order in which it happened', async () => {
    const events = await told.events();
    expect(new Set(events.map(({ subject }) => subject))).toEqual(new Set(['org_ada']));
    // Of one second by id; of a subscription, as Stripe lists its events.
    expect(events.map(({ type }) => type)).toEqual([
      'invoice.finalized',
      'invoice.paid',
      'subscription.started',
      'subscription.changed',
      'credit_note.issued',
      'dispute.opened',
      'subscription.changed',
      'dispute.closed',
      'invoice.finalized',
      'invoice.paid',
      'invoice.refunded',
      'subscription.paused',
      'subscription.resumed',
      'invoice.finalized',
      'invoice.payment_failed',
      'subscription.changed',
      'invoice.payment_failed',
      'invoice.voided',
      'subscription.canceled',
    ]);
    expect(events[0]?.source).toMatch(/^stripe\/acct_\w+\/test$/);
  });

  test('a subscription is told whole each time, with the state that it had then', async () => {
    const states = (await told.events())
      .filter(({ type }) => type.startsWith('subscription.'))
      .map(({ type, data }) => {
        const { status, items } = State.parse(JSON.parse(data));
        return [
          type,
          status,
          ...items.map((one) => `${one.quantity} × ${one.productId} ${one.unitAmountMinor}`),
        ];
      });
    expect(states).toEqual([
      ['subscription.started', 'incomplete', '1 × growth 4900'],
      ['subscription.changed', 'active', '1 × growth 4900'],
      ['subscription.changed', 'active', '3 × growth 4900'],
      ['subscription.paused', 'paused', '3 × growth 4900'],
      ['subscription.resumed', 'active', '3 × growth 4900'],
      ['subscription.changed', 'past_due', '3 × growth 4900'],
      ['subscription.canceled', 'canceled', '3 × growth 4900'],
    ]);
  });

  test('the mirror holds each invoice as it stands now', async () => {
    const rows = (await mirror(told)).sort((a, b) => (a.finalizedAt < b.finalizedAt ? -1 : 1));
    // Of the second, the credit of the first pays a dollar: $147.00 less $1.00.
    expect(rows).toMatchObject([
      { status: 'paid', totalMinor: 4_900n, paidMinor: 4_900n, dispute: 'lost', orgId: 'org_ada' },
      { status: 'paid', totalMinor: 14_700n, paidMinor: 14_600n, refundedMinor: 500n, dispute: 'none' },
      { status: 'void', totalMinor: 14_700n, paidMinor: 0n, attemptCount: 2, nextPaymentAttemptAt: null },
    ]);
  });

  test('nothing of it waits or failed', async () => {
    const rows = await inbox(told);
    expect(rows.filter(({ state }) => state !== 'done' && state !== 'ignored')).toEqual([]);
  });
});

describe('who hears it otherwise', () => {
  test('out of order and twice: the same events and the same mirror', async () => {
    const other = await StripeCompany.open(local);
    try {
      await other.arrive();
      await other.link('org_ada', ada);
      const bodies = (await inbox(told))
        .sort((a, b) => compareText(digestOf(a.eventId), digestOf(b.eventId)))
        .map(({ raw }) => raw);
      for (const body of [...bodies, ...bodies.slice(0, 20)]) {
        expect((await other.post(body)).status).toBe(200);
      }
      await other.arrive();
      expect(await other.events()).toEqual(await told.events());
      expect(await mirror(other)).toEqual(await mirror(told));
    } finally {
      await other.close();
    }
  }, 120_000);

  test('not at all, and asked for afterwards, twice: the same events and the same mirror', async () => {
    const other = await StripeCompany.open(local);
    try {
      await other.arrive();
      await other.link('org_ada', ada);
      const first = await other.bed.call({ path: '/v1/billing/backfills', json: {} });
      expect(first.json()).toMatchObject({
        customers: 1,
        subscriptions: 1,
        invoices: 3,
        waiting: 0,
        failed: 0,
      });
      expect(await other.events()).toEqual(await told.events());
      const rows = (await other.rawRows()).length;
      await other.bed.call({ path: '/v1/billing/backfills', json: {} });
      expect(await other.rawRows()).toHaveLength(rows);
      expect(await mirror(other)).toEqual(await mirror(told));
    } finally {
      await other.close();
    }
  }, 120_000);

  test('by webhooks first: a backfill adds nothing', async () => {
    const rows = (await told.rawRows()).length;
    expect((await told.bed.call({ path: '/v1/billing/backfills', json: {} })).json()).toMatchObject({
      events: 0,
    });
    expect(await told.rawRows()).toHaveLength(rows);
  });
});

describe('a customer without an org', () => {
  test('waits with the command that links it, and is told once it is linked', async () => {
    const bob = await payingCustomer(stripe);
    await stripe.subscriptions.create({
      customer: bob,
      items: [{ price: await priceFor(stripe, 'solo', 900) }],
    });
    await told.arrive();
    const waiting = (await inbox(told)).filter(({ state }) => state === 'waiting');
    expect(waiting.length).toBeGreaterThan(0);
    expect(new Set(waiting.map(({ problem }) => problem))).toEqual(
      new Set([`no org is linked to ${bob}; headgate billing link <org> ${bob}`]),
    );
    const before = await told.rawRows();
    expect(before.filter(({ subject }) => subject === 'org_bob')).toEqual([]);
    await told.link('org_bob', bob);
    await told.arrive();
    const types = (await told.events())
      .filter(({ subject }) => subject === 'org_bob')
      .map(({ type }) => type);
    expect(types).toEqual([
      'invoice.finalized',
      'invoice.paid',
      'subscription.started',
      'subscription.changed',
    ]);
    expect((await inbox(told)).filter(({ state }) => state === 'waiting')).toEqual([]);
  }, 60_000);
});

describe.runIf(hasStripeMock())("held against Stripe's own description of its API", () => {
  test('each question that the mirror asks is one that Stripe describes', { timeout: 120_000 }, async () => {
    const mock = await startStripeMock();
    const questions = local.requests().filter(({ method, status }) => method === 'GET' && status === 200);
    const kindOf = ({ path, parameters }: LoggedRequest): string =>
      `${path.replaceAll(/(?<=_)\w{14,}/g, '*')} ${Object.keys(Parameters.parse(parameters)).join(' ')}`;
    const kinds = new Map(questions.map((one) => [kindOf(one), one]));
    const refusals: string[] = [];
    for (const one of kinds.values()) refusals.push(...(await refusalOf(mock, one)));
    await mock.stop();
    expect(refusals).toEqual([]);
    const asked = [...kinds.keys()].map((path) => path.split(' ')[0]);
    for (const list of ['events', 'invoice_payments', 'charges', 'refunds', 'disputes', 'credit_notes']) {
      expect(asked).toContain(`/v1/${list}`);
    }
  });
});
