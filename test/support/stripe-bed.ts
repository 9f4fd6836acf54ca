import { serve, type ServerType } from '@hono/node-server';
import type { AddressInfo } from 'node:net';
import type Stripe from 'stripe';
import { z } from 'zod';
import { createApp } from '../../api/app.js';
import { MICROS_PER_SECOND } from '../../core/time.js';
import type { LocalStripe } from '../../fixtures/stripe/local-stripe.js';
import { signatureOf } from '../../fixtures/stripe/webhooks/signature.js';
import { rawTable } from '../../platform/warehouse/raw-tables.js';
import { NOW, openApiTestBed, type ApiTestBed } from '../api-test-bed.js';
import { sdkFor, startTestStripe } from './local-stripe.js';

const EventRow = z.object({
  id: z.string(),
  type: z.string(),
  subject: z.string(),
  source: z.string(),
  time: z.string(),
  data: z.string(),
});
export type ToldRow = z.infer<typeof EventRow>;

/** A local Stripe whose clock stands still until it is moved, at the instant at which companies of tests begin. */
export function startStillStripe(): Promise<LocalStripe> {
  return startTestStripe({ now: () => Number(NOW / 1_000n) });
}

/** A company that mirrors an account of a local Stripe. */
export class StripeCompany {
  private server: ServerType | null = null;

  private constructor(
    readonly local: LocalStripe,
    readonly bed: ApiTestBed,
    private readonly secret: string,
    private readonly endpointId: string,
  ) {}

  /** Knows the secret of an endpoint of its own; nothing is sent there before `listen`. */
  static async open(local: LocalStripe): Promise<StripeCompany> {
    const stripe = sdkFor(local.url, local.secretKey);
    const endpoint = await stripe.webhookEndpoints.create({
      url: 'http://127.0.0.1:1/',
      enabled_events: ['account.updated'],
    });
    const bed = await openApiTestBed({
      STRIPE_SECRET_KEY: local.secretKey,
      STRIPE_WEBHOOK_SECRET: `whsec_another,${endpoint.secret ?? ''}`,
      HEADGATE_STRIPE_URL: local.url,
      HEADGATE_STRIPE_TIMEOUT_SECONDS: '5',
    });
    return new StripeCompany(local, bed, endpoint.secret ?? '', endpoint.id);
  }

  get stripe(): Stripe {
    return sdkFor(this.local.url, this.local.secretKey);
  }

  /** From here on Stripe sends all that happens. */
  async listen(): Promise<void> {
    const app = createApp(this.bed.runtime.services);
    const { port } = await new Promise<AddressInfo>((resolve) => {
      this.server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, resolve);
    });
    const url = `http://127.0.0.1:${port}/webhooks/stripe`;
    await this.stripe.webhookEndpoints.update(this.endpointId, { url, enabled_events: ['*'] });
  }

  /** Sends bytes as Stripe would. */
  post(body: string | Uint8Array, signature = this.sign(body)) {
    return this.bed.call({
      path: '/webhooks/stripe',
      key: null,
      body: typeof body === 'string' ? body : new Uint8Array(body),
      type: 'application/json',
      headers: { 'stripe-signature': signature },
    });
  }

  sign(body: string | Uint8Array, { at = this.local.clock.now(), secret = this.secret } = {}): string {
    return signatureOf(Buffer.from(body).toString('utf8'), secret, at);
  }

  link(orgId: string, customerId: string) {
    return this.bed.call({
      method: 'PUT',
      path: `/v1/billing/customers/${orgId}`,
      json: { customer_id: customerId },
    });
  }

  /** Lets time pass, here and there, and what comes of it arrive. */
  async pass(seconds: number): Promise<void> {
    this.local.clock.advance(seconds);
    await this.arrive();
  }

  /** Until Stripe has nothing more to send and nothing of it is left to be worked off. */
  async arrive(): Promise<void> {
    this.bed.setClock(BigInt(this.local.clock.now()) * MICROS_PER_SECOND);
    await this.local.settle();
    await (await this.bed.runtime.services.stripeInbox()).drain();
  }

  /** Each event once, by when it happened. */
  async events(): Promise<ToldRow[]> {
    const rows = await this.rawRows();
    const once = new Map(rows.map((row) => [row.id, row]));
    return [...once.values()].sort((a, b) => (`${a.time} ${a.id}` < `${b.time} ${b.id}` ? -1 : 1));
  }

  rawRows(): Promise<ToldRow[]> {
    return this.bed.runtime.services.warehouse.query(
      `SELECT id, type, subject, source, strftime(time, '%Y-%m-%dT%H:%M:%S.%f') AS time, data FROM ${rawTable('billing')} ORDER BY log_offset`,
      {},
      EventRow,
    );
  }

  async close(): Promise<void> {
    this.server?.close();
    await this.bed.close();
  }
}

/** A customer with a card that pays. */
export async function payingCustomer(stripe: Stripe, card = 'pm_card_visa'): Promise<string> {
  const { id } = await stripe.customers.create({ name: 'Ada' });
  const method = await stripe.paymentMethods.attach(card, { customer: id });
  await stripe.customers.update(id, { invoice_settings: { default_payment_method: method.id } });
  return id;
}

/** A price that says which product of the catalog it sells. */
export async function priceFor(stripe: Stripe, productId: string, amount: number): Promise<string> {
  const product = await stripe.products.create({
    name: productId,
    metadata: { headgate_product_id: productId },
  });
  const { id } = await stripe.prices.create({
    product: product.id,
    currency: 'usd',
    unit_amount: amount,
    recurring: { interval: 'month' },
  });
  return id;
}
