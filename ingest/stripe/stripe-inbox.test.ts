import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eq } from 'drizzle-orm';
import type Stripe from 'stripe';
import type { LocalStripe } from '../../fixtures/stripe/local-stripe.js';
import type { EventLog } from '../../platform/log/event-log.js';
import { webhookInbox } from '../../platform/sql/stripe-schema.js';
import { openApiTestBed } from '../../test/api-test-bed.js';
import { payingCustomer, priceFor, startStillStripe, StripeCompany } from '../../test/support/stripe-bed.js';
import { inboxCounts } from './inbox-store.js';
import { StripeInbox, type InboxDeps } from './stripe-inbox.js';

let local: LocalStripe;
let stripe: Stripe;
let company: StripeCompany;
let customers = 0;

beforeAll(async () => {
  local = await startStillStripe();
  company = await StripeCompany.open(local);
  stripe = company.stripe;
  await company.arrive();
}, 60_000);
afterAll(async () => {
  await company.close();
  await local.stop();
});

const table = () => company.bed.runtime.services.sql.database.select().from(webhookInbox);
const rowOf = async (eventId: string) => (await table()).find((row) => row.eventId === eventId);

/** An event of Stripe's own, of a customer that is linked to an org of its own. */
async function paidInvoice(): Promise<{ event: Stripe.Event; orgId: string; invoiceId: string }> {
  customers += 1;
  const orgId = `org_${customers}`;
  const customer = await payingCustomer(stripe);
  await company.link(orgId, customer);
  const price = await priceFor(stripe, 'growth', 4_900);
  const { latest_invoice: invoice } = await stripe.subscriptions.create({ customer, items: [{ price }] });
  const invoiceId = typeof invoice === 'string' ? invoice : (invoice?.id ?? '');
  const events = (await stripe.events.list({ type: 'invoice.paid', limit: 100 })).data;
  const event = events.find(({ data }) => 'id' in data.object && data.object.id === invoiceId);
  if (event === undefined) throw new Error('there is no such event');
  return { event, orgId, invoiceId };
}

/** A process of its own, with something of it replaced. */
function processWith(replaced: (deps: InboxDeps) => Partial<InboxDeps>): StripeInbox {
  const { services } = company.bed.runtime;
  return new StripeInbox({ ...ownDeps, ...replaced({ ...ownDeps, ...services }) });
}

let ownDeps: InboxDeps;
beforeAll(async () => {
  const { sql, ingest, catalogs, clock } = company.bed.runtime.services;
  const { own } = await company.bed.runtime.services.stripeInbox();
  ownDeps = {
    ...{ own, sql, ingest, catalogs, clock },
    onUnexpected: (error) => {
      throw error;
    },
    signal: new AbortController().signal,
  };
});

describe('a body that is not what Stripe sends here, now', () => {
  const bodyOf = (more: object = {}): string =>
    JSON.stringify({
      ...{ id: 'evt_x', type: 'invoice.paid', created: local.clock.now(), livemode: false },
      data: { object: { id: 'in_x', object: 'invoice' } },
      ...more,
    });
  const refusal = async (...given: Parameters<StripeCompany['post']>) => {
    const answer = await company.post(...given);
    return { status: answer.status, code: answer.problem().code, detail: answer.problem().detail };
  };

  test.each([
    ['signed with another secret', () => company.sign(bodyOf(), { secret: 'whsec_unknown' })],
    ['too old', () => company.sign(bodyOf(), { at: local.clock.now() - 301 })],
    ['from the future', () => company.sign(bodyOf(), { at: local.clock.now() + 301 })],
    ['signed for another body', () => company.sign(bodyOf({ id: 'evt_y' }))],
    ['not signed', () => ''],
  ])('%s is refused, and nothing is stored', async (_, signature) => {
    expect(await refusal(bodyOf(), signature())).toMatchObject({ status: 400, code: 'signature_refused' });
    expect(await rowOf('evt_x')).toBeUndefined();
  });

  test('of the other mode, or of another account, it is refused and says so', async () => {
    expect((await refusal(bodyOf({ livemode: true }))).detail).toContain('live mode');
    expect((await refusal(bodyOf({ account: 'acct_other' }))).detail).toContain('another account');
    expect((await refusal('[]')).detail).toContain('no event of Stripe');
    expect(await rowOf('evt_x')).toBeUndefined();
  });

  test('larger than any event, it is not read', async () => {
    const answer = await company.post(bodyOf({ padding: 'x'.repeat(1024 * 1024) }));
    expect(answer.status).toBe(413);
  });

  test('the second of two secrets is as good as the first', async () => {
    const body = bodyOf({ id: 'evt_second', type: 'charge.succeeded' });
    const signature = company.sign(body, { secret: 'whsec_another' });
    expect((await company.post(body, signature)).json()).toEqual({ outcome: 'stored' });
  });

  test('where no secret is set there is no such thing, and no key helps', async () => {
    const bed = await openApiTestBed();
    try {
      const body = bodyOf();
      const headers = { 'stripe-signature': company.sign(body) };
      const answer = await bed.call({
        path: '/webhooks/stripe',
        key: null,
        body,
        type: 'application/json',
        headers,
      });
      expect(answer.status).toBe(404);
      expect(answer.problem()).toMatchObject({ code: 'stripe_not_configured' });
    } finally {
      await bed.close();
    }
  });
});

test('an event that comes again is answered the same and stored once', async () => {
  const { event } = await paidInvoice();
  const body = JSON.stringify(event);
  expect((await company.post(body)).json()).toEqual({ outcome: 'stored' });
  expect((await company.post(body)).json()).toEqual({ outcome: 'repeated' });
  expect((await table()).filter(({ eventId }) => eventId === event.id)).toHaveLength(1);
  await company.arrive();
});

describe('a process that dies', () => {
  const never = new Promise<never>(() => undefined);
  const dying = (when: 'before' | 'after', log: EventLog, died: () => void): EventLog => ({
    append: async (...given) => {
      if (when === 'after') await log.append(...given);
      died();
      return never;
    },
    close: () => log.close(),
  });

  test.each(['before', 'after'] as const)(
    'between writing down and having emitted, %s the append: the next emits the same bytes, and each counts once',
    async (when) => {
      const { event, orgId, invoiceId } = await paidInvoice();
      const raw = Buffer.from(JSON.stringify(event));
      const died = new Promise<void>((resolve) => {
        const inbox = processWith(({ ingest }) => ({
          ingest: { ...ingest, log: dying(when, ingest.log, resolve) },
        }));
        const message = { eventId: event.id, type: event.type, raw, customerId: null };
        void inbox.store.put(message, ownDeps.clock()).then(() => inbox.drain());
      });
      await died;
      const kept = Buffer.from((await rowOf(event.id))?.events ?? []).toString('utf8');
      expect(kept).toContain(`"id":"invoice.paid/`);
      // What Stripe says of it by now is something else, and changes nothing of what was written down.
      const { data: payments } = await stripe.invoicePayments.list({ invoice: invoiceId });
      const intent = payments[0]?.payment.payment_intent;
      await stripe.refunds.create({ payment_intent: typeof intent === 'string' ? intent : '' });
      await company.pass(121);
      const rows = (await company.rawRows()).filter(({ subject }) => subject === orgId);
      const told = kept
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { id: string }).id);
      expect(told).toEqual([
        `invoice.finalized/${invoiceId}`,
        expect.stringMatching(/^invoice\.paid\/inpay_/),
      ]);
      expect([...new Set(rows.map(({ id }) => id))]).toEqual(told);
      expect(new Set(rows.map(({ id, time, data }) => `${id} ${time} ${data}`)).size).toBe(2);
      expect(rows).toHaveLength(when === 'before' ? 2 : 4);
      expect(await rowOf(event.id)).toMatchObject({ state: 'done', attempts: 2 });
    },
    60_000,
  );

  test('before it had asked Stripe: the next one asks, once the claim has run out', async () => {
    const { event, orgId } = await paidInvoice();
    const raw = Buffer.from(JSON.stringify(event));
    const inbox = processWith(({ catalogs }) => ({
      catalogs: Object.create(catalogs, { inForce: { value: () => never } }) as typeof catalogs,
    }));
    await inbox.store.put({ eventId: event.id, type: event.type, raw, customerId: null }, ownDeps.clock());
    void inbox.drain();
    await expect.poll(async () => (await rowOf(event.id))?.attempts).toBe(1);
    await company.arrive();
    expect(await rowOf(event.id)).toMatchObject({ state: 'received', events: null });
    await company.pass(121);
    const types = (await company.events()).filter(({ subject }) => subject === orgId).map(({ type }) => type);
    expect(types).toEqual(['invoice.finalized', 'invoice.paid']);
  }, 60_000);
});

describe('what can not be taken care of now', () => {
  test('while Stripe is away it is tried again, ever later, for as long as it takes', async () => {
    const { event, orgId } = await paidInvoice();
    local.faults.add({ kind: 'fail_before', method: 'GET', times: 1_000 });
    await company.post(JSON.stringify(event));
    await company.arrive();
    // After 30 s, a minute, two, …, an hour at most: two days are 48 of them and more.
    for (let round = 0; round < 12; round += 1) await company.pass(3_600);
    const waiting = await rowOf(event.id);
    expect(waiting).toMatchObject({ state: 'received' });
    expect(waiting?.problem).toContain('Stripe does not answer now');
    expect(waiting?.attempts).toBeGreaterThan(10);
    local.faults.clear();
    await company.pass(3_600);
    expect((await company.events()).some(({ subject }) => subject === orgId)).toBe(true);
  }, 60_000);

  test('what events can not say fails, says why, and stands in the way of nothing else', async () => {
    const customer = await payingCustomer(stripe);
    await company.link('org_daily', customer);
    const product = await stripe.products.create({ name: 'daily' });
    const price = await stripe.prices.create({
      ...{ product: product.id, currency: 'usd', unit_amount: 100, recurring: { interval: 'day' } },
    });
    await stripe.subscriptions.create({ customer, items: [{ price: price.id }] });
    const events = (await stripe.events.list({ limit: 20 })).data.filter(
      ({ type }) => type.startsWith('customer.subscription.') || type === 'invoice.paid',
    );
    for (const event of events) await company.post(JSON.stringify(event));
    await company.arrive();
    const failed = (await table()).filter(({ state }) => state === 'failed');
    expect(failed[0]?.problem).toContain('sell by week, month or year');
    const types = (await company.events())
      .filter(({ subject }) => subject === 'org_daily')
      .map(({ type }) => type);
    expect(types).toEqual(['invoice.finalized', 'invoice.paid']);
    const counts = await inboxCounts(company.bed.runtime.services.sql);
    expect(counts).toMatchObject({ received: 0, waiting: 0, failed: failed.length });
    expect(counts.oldestAt).toBe(failed.map(({ receivedAt }) => receivedAt).sort()[0]);
    await company.bed.runtime.services.sql.database
      .delete(webhookInbox)
      .where(eq(webhookInbox.state, 'failed'));
  }, 60_000);
});

test('what was taken care of is forgotten after a while, and what was not is kept', async () => {
  const inbox = await company.bed.runtime.services.stripeInbox();
  const stranger = await payingCustomer(stripe);
  await stripe.subscriptions.create({
    ...{ customer: stranger, items: [{ price: await priceFor(stripe, 'solo', 900) }] },
  });
  const [event] = (await stripe.events.list({ type: 'invoice.paid', limit: 1 })).data;
  await company.post(JSON.stringify(event));
  await company.arrive();
  await inbox.store.forget(ownDeps.clock() + 1n);
  expect((await table()).map(({ state }) => state)).toEqual(['waiting']);
});

test('a person is forgotten in what was taken care of, too', async () => {
  const event = {
    ...{ id: 'evt_named', type: 'customer.updated', created: local.clock.now(), livemode: false },
    data: { object: { id: 'cus_x', object: 'customer', email: 'kim@example.com' } },
  };
  await company.post(JSON.stringify(event));
  await company.arrive();
  const erased = await company.bed.call({ path: '/v1/people/erase', json: { value: 'kim@example.com' } });
  expect(erased.json()).toMatchObject({ erased_webhooks: 1 });
  expect(await rowOf('evt_named')).toBeUndefined();
});

test('a webhook that never came is found in the list of Stripe', async () => {
  const { orgId } = await paidInvoice();
  const { catchUp } = await import('./catch-up.js');
  const inbox = await company.bed.runtime.services.stripeInbox();
  await catchUp(inbox, ownDeps.clock);
  await inbox.drain();
  const types = (await company.events()).filter(({ subject }) => subject === orgId).map(({ type }) => type);
  expect(types).toEqual([
    'invoice.finalized',
    'invoice.paid',
    'subscription.started',
    'subscription.changed',
  ]);
  expect(await catchUp(inbox, ownDeps.clock)).toBe(0);
}, 60_000);
