import Stripe from 'stripe';
import { z } from 'zod';
import { invariant } from '../../../core/errors.js';
import { INTENT_MARK, type IntentKind, type SendableRequest } from '../intent.js';
import type { OtherSide, OutsideObject, SendOutcome } from '../other-side.js';
import { isMissing, refusalOfStripe, stripeError } from './stripe-client.js';

const PAGE = 100;
const WHEN_BUSY_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

const Made = z
  .object({
    id: z.string(),
    status: z.string().nullish(),
    /** Of an invoice. */
    total: z.int().optional(),
    /** Of an item and a credit note. */
    amount: z.int().optional(),
    currency: z.string().optional(),
    metadata: z.record(z.string(), z.string()).nullish(),
  })
  .transform(({ id, status, total, amount, currency, metadata }) => ({
    metadata: metadata ?? {},
    object: objectOf(id, total ?? amount, currency, status ?? null),
  }));
const Page = z.object({ data: z.array(Made), has_more: z.boolean() });

function objectOf(
  objectId: string,
  amount: number | undefined,
  currency: string | undefined,
  status: string | null,
): OutsideObject {
  return {
    objectId,
    amountMinor: amount === undefined ? null : BigInt(amount),
    currency: currency?.toUpperCase() ?? null,
    status,
  };
}

/** Stripe, or what behaves like it. Amounts are in Stripe's minor unit, which is not ISO's for every currency. */
export class StripeSide implements OtherSide {
  constructor(private readonly stripe: Stripe) {}

  async send({ path, parameters }: SendableRequest, idempotencyKey: string): Promise<SendOutcome> {
    try {
      const answer: unknown = await this.stripe.rawRequest('POST', path, parameters, { idempotencyKey });
      return { outcome: 'done', object: Made.parse(answer).object };
    } catch (error) {
      return outcomeOf(error);
    }
  }

  async find({
    intentId,
    kind,
    request,
  }: {
    readonly intentId: string;
    readonly kind: IntentKind;
    readonly request: SendableRequest;
  }): Promise<readonly OutsideObject[]> {
    try {
      if (kind === 'finalize') return await this.finalInvoice(request.path);
      return await this.marked(intentId, listingOf(kind, request));
    } catch (error) {
      // What it would be on is gone, and so is it.
      if (isMissing(error)) return [];
      throw refusalOfStripe(error);
    }
  }

  private async finalInvoice(path: string): Promise<OutsideObject[]> {
    const answer: unknown = await this.stripe.rawRequest('GET', path.replace(/\/finalize$/, ''));
    const { object } = Made.parse(answer);
    // One that was voided is no more than a draft: nobody pays it.
    return object.status === 'draft' || object.status === 'void' ? [] : [object];
  }

  private async marked(intentId: string, { path, by, of }: Listing): Promise<OutsideObject[]> {
    const found: OutsideObject[] = [];
    let after: string | undefined;
    for (;;) {
      const query = new URLSearchParams({
        ...{ [by]: of, limit: String(PAGE) },
        ...(after === undefined ? {} : { starting_after: after }),
      });
      const page = Page.parse(await this.stripe.rawRequest('GET', `${path}?${query.toString()}`));
      found.push(
        ...page.data
          .filter(({ metadata, object }) => metadata[INTENT_MARK] === intentId && !isVoidNote(object))
          .map(({ object }) => object),
      );
      after = page.data.at(-1)?.object.objectId;
      if (!page.has_more || after === undefined) return found;
    }
  }
}

/** A note that was voided takes nothing off any more. A voided invoice is found: it must not pass for billed. */
function isVoidNote({ objectId, status }: OutsideObject): boolean {
  return objectId.startsWith('cn_') && status === 'void';
}

interface Listing {
  readonly path: string;
  /** The one filter: a parameter of the request itself. */
  readonly by: string;
  readonly of: string;
}

const LISTS = {
  invoice: { path: '/v1/invoices', by: 'customer' },
  invoice_item: { path: '/v1/invoiceitems', by: 'invoice' },
  credit_note: { path: '/v1/credit_notes', by: 'invoice' },
} as const;

/** Where objects of a kind are listed: few of them, whatever else the account holds. */
function listingOf(kind: Exclude<IntentKind, 'finalize'>, { parameters }: SendableRequest): Listing {
  const list = LISTS[kind];
  const of = parameters[list.by];
  invariant(typeof of === 'string', `an intent of the kind ${kind} names its ${list.by}`);
  return { ...list, of };
}

/** @throws RefusedError `stripe_key_refused` */
function outcomeOf(error: unknown): SendOutcome {
  const { StripeIdempotencyError, StripeRateLimitError, StripeConnectionError, StripeAPIError } =
    Stripe.errors;
  if (!(error instanceof Stripe.errors.StripeError)) throw error;
  const { message } = error;
  if (error instanceof StripeRateLimitError) {
    return { outcome: 'not_executed', message, retryAfterMs: waitOf(error) };
  }
  if (isUnderWay(error)) return { outcome: 'not_executed', message, retryAfterMs: WHEN_BUSY_MS };
  if (error instanceof StripeConnectionError) return { outcome: 'unknown', message, isForgotten: false };
  if (error instanceof StripeAPIError || (error.statusCode ?? 0) >= 500) {
    return { outcome: 'unknown', message, isForgotten: headerOf(error, 'idempotent-replayed') === 'true' };
  }
  const known = stripeError(error);
  if (known !== error) throw known;
  const fallback = error instanceof StripeIdempotencyError ? 'idempotency_error' : error.type;
  return { outcome: 'refused', code: error.code ?? fallback, message };
}

/** Another request has the key, or the object, in its hands right now. */
function isUnderWay({ code, statusCode }: InstanceType<typeof Stripe.errors.StripeError>): boolean {
  return statusCode === 409 && (code === 'idempotency_key_in_use' || code === 'lock_timeout');
}

function waitOf(error: InstanceType<typeof Stripe.errors.StripeError>): number {
  const seconds = Number(headerOf(error, 'retry-after'));
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1000, LONGEST_WAIT_MS) : WHEN_BUSY_MS;
}

function headerOf(
  { headers }: InstanceType<typeof Stripe.errors.StripeError>,
  name: string,
): string | undefined {
  return headers?.[name];
}
