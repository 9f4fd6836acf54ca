import { afterAll, beforeAll, expect, test } from 'vitest';
import type Stripe from 'stripe';
import { MICROS_PER_SECOND } from '../../core/time.js';
import type { LocalStripe } from '../../fixtures/stripe/local-stripe.js';
import type { EventLog } from '../../platform/log/event-log.js';
import { webhookInbox } from '../../platform/sql/stripe-schema.js';
import { payingCustomer, priceFor, startStillStripe, StripeCompany } from '../../test/support/stripe-bed.js';
import { StripeInbox, type InboxDeps } from './stripe-inbox.js';

/* Two processes on one inbox, the first so slow that its claim runs out while it is at it. */
let local: LocalStripe;
let stripe: Stripe;
let company: StripeCompany;
let ownDeps: InboxDeps;

beforeAll(async () => {
  local = await startStillStripe();
  company = await StripeCompany.open(local);
  stripe = company.stripe;
  await company.arrive();
  const { sql, ingest, catalogs, clock, stripeInbox } = company.bed.runtime.services;
  ownDeps = {
    ...{ own: (await stripeInbox()).own, sql, ingest, catalogs, clock },
    onUnexpected: (error) => {
      throw error;
    },
    signal: new AbortController().signal,
  };
}, 60_000);
afterAll(async () => {
  await company.close();
  await local.stop();
});

/** A door that someone comes to, and is held at until it is opened. */
class Door {
  open: () => void = () => undefined;
  private came: () => void = () => undefined;
  readonly reached = new Promise<void>((resolve) => (this.came = resolve));
  private readonly opened = new Promise<void>((resolve) => (this.open = resolve));
  times = 0;

  async pass(): Promise<void> {
    this.times += 1;
    this.came();
    await this.opened;
  }
}

/** A process that is held up each time before it asks Stripe. */
function heldUp(door: Door, log: EventLog = ownDeps.ingest.log): StripeInbox {
  const { catalogs } = ownDeps;
  const inForce: typeof catalogs.inForce = async (at) => {
    await door.pass();
    return catalogs.inForce(at);
  };
  return new StripeInbox({
    ...ownDeps,
    catalogs: Object.create(catalogs, { inForce: { value: inForce } }) as typeof catalogs,
    ingest: { ...ownDeps.ingest, log },
  });
}

function dyingLog(died: () => void): EventLog {
  return {
    append: () => {
      died();
      return new Promise<never>(() => undefined);
    },
    close: () => Promise.resolve(),
  };
}

function passUnseen(seconds: number): void {
  local.clock.advance(seconds);
  company.bed.setClock(BigInt(local.clock.now()) * MICROS_PER_SECOND);
}

async function eventOf(type: 'invoice.paid' | 'refund.created', id: string): Promise<Stripe.Event> {
  const { data } = await stripe.events.list({ type, limit: 100 });
  const found = data.find((one) => 'id' in one.data.object && one.data.object.id === id);
  if (found === undefined) throw new Error('there is no such event');
  return found;
}

async function paidInvoice(orgId: string): Promise<{ event: Stripe.Event; invoiceId: string }> {
  const customer = await payingCustomer(stripe);
  await company.link(orgId, customer);
  const price = await priceFor(stripe, 'growth', 4_900);
  const { latest_invoice: invoice } = await stripe.subscriptions.create({ customer, items: [{ price }] });
  const invoiceId = typeof invoice === 'string' ? invoice : (invoice?.id ?? '');
  return { event: await eventOf('invoice.paid', invoiceId), invoiceId };
}

async function put(event: Stripe.Event): Promise<void> {
  const raw = Buffer.from(JSON.stringify(event));
  const { store } = await company.bed.runtime.services.stripeInbox();
  await store.put({ eventId: event.id, type: event.type, raw, customerId: null }, ownDeps.clock());
}

const typesOf = async (orgId: string) =>
  (await company.events()).filter(({ subject }) => subject === orgId).map(({ type }) => type);
const rowOf = async (eventId: string) =>
  (await ownDeps.sql.database.select().from(webhookInbox)).find((row) => row.eventId === eventId);

test('the first writes down and dies: the second emits those bytes, and what it alone saw is told by its own event', async () => {
  const { event, invoiceId } = await paidInvoice('org_slow');
  await put(event);
  const [first, second] = [new Door(), new Door()];
  const died = new Promise<void>((resolve) => void heldUp(first, dyingLog(resolve)).drain());
  await first.reached;
  passUnseen(121);
  const drained = heldUp(second).drain();
  await second.reached;
  first.open();
  await died;
  const kept = Buffer.from((await rowOf(event.id))?.events ?? []).toString('utf8');
  expect(kept).toContain('"id":"invoice.paid/');
  const { data: payments } = await stripe.invoicePayments.list({ invoice: invoiceId });
  const intent = payments[0]?.payment.payment_intent;
  const refund = await stripe.refunds.create({ payment_intent: typeof intent === 'string' ? intent : '' });
  second.open();
  await drained;
  const row = await rowOf(event.id);
  expect(row).toMatchObject({ state: 'done', attempts: 2 });
  expect(Buffer.from(row?.events ?? []).toString('utf8')).toBe(kept);
  expect(await typesOf('org_slow')).toEqual(['invoice.finalized', 'invoice.paid']);
  await put(await eventOf('refund.created', refund.id));
  await company.arrive();
  expect(await typesOf('org_slow')).toEqual(['invoice.finalized', 'invoice.paid', 'invoice.refunded']);
}, 60_000);

test('rows that another took meanwhile are left to it, and what is settled stays so', async () => {
  const events = [(await paidInvoice('org_one')).event, (await paidInvoice('org_two')).event];
  for (const event of events) await put(event);
  const door = new Door();
  const drained = heldUp(door).drain();
  await door.reached;
  passUnseen(121);
  await company.arrive();
  const settled = await Promise.all(events.map(({ id }) => rowOf(id)));
  expect(settled.map((row) => row?.state)).toEqual(['done', 'done']);
  const rows = (await company.rawRows()).length;
  door.open();
  await drained;
  // Of its two rows it asked for the first alone.
  expect(door.times).toBe(1);
  expect(await Promise.all(events.map(({ id }) => rowOf(id)))).toEqual(settled);
  expect(await company.rawRows()).toHaveLength(rows);
}, 60_000);

test('rows of one claim that take long in all are still its own where nobody else came', async () => {
  const events = [(await paidInvoice('org_three')).event, (await paidInvoice('org_four')).event];
  for (const event of events) await put(event);
  const door = new Door();
  const drained = heldUp(door).drain();
  await door.reached;
  passUnseen(121);
  door.open();
  await drained;
  const settled = await Promise.all(events.map(({ id }) => rowOf(id)));
  expect(settled.map((row) => [row?.state, row?.attempts])).toEqual([
    ['done', 1],
    ['done', 1],
  ]);
}, 60_000);
