import type { Instant } from '../../core/time.js';
import type { OutsideAccount } from '../../platform/outbound/intent.js';
import { rankInSecond } from '../../platform/outbound/stripe/read-events.js';
import {
  invoiceOfIntent,
  readInvoiceStory,
  type InvoiceStory,
} from '../../platform/outbound/stripe/read-invoice-story.js';
import {
  shownNow,
  subscriptionState,
  SubscriptionShown,
  type SubscriptionReader,
} from '../../platform/outbound/stripe/read-subscription.js';
import type { Fact } from './fact.js';
import { invoiceFacts } from './invoice-facts.js';
import type { KindOfProduct } from './product-kinds.js';
import { changeFacts, digestOfFact, lifeFacts, presentFact, type ToldState } from './subscription-facts.js';
import { topicOf, type ToldEvent } from './told-event.js';
import { sha256 } from '../../platform/sha256.js';

/** What a row of the inbox comes to, once Stripe has been asked. */
export type Reading =
  | { readonly outcome: 'nothing'; readonly why: string }
  | {
      readonly outcome: 'read';
      readonly customerId: string;
      readonly facts: readonly Fact[];
      /** Where it is of an invoice. */
      readonly story: InvoiceStory | null;
    };

export interface ReadDeps extends SubscriptionReader {
  readonly account: OutsideAccount;
  readonly kindOf: KindOfProduct;
  /** When we ask. */
  readonly askedAt: Instant;
  readonly lastTold: (objectId: string) => Promise<ToldState | null>;
}

/** @throws RefusedError or UnavailableError when Stripe can't be asked; InputError for what events can't say */
export async function readRow(event: ToldEvent, deps: ReadDeps): Promise<Reading> {
  const topic = topicOf(event);
  switch (topic.about) {
    case 'change':
      return readChange(event, deps);
    case 'subscription':
      return readSubscription(topic.subscriptionId, deps);
    case 'invoice':
      return readInvoice(topic.invoiceId, deps);
    case 'payment': {
      const invoiceId = await invoiceOfIntent(deps.stripe, topic.intentId);
      return invoiceId === null ? nothing('it is of no invoice') : readInvoice(invoiceId, deps);
    }
    case 'nothing':
      return nothing('nothing of it is in events');
  }
}

function nothing(why: string): Reading {
  return { outcome: 'nothing', why };
}

/** A state that a subscription had, as its event shows it: what it has become since has an event of its own. */
async function readChange(event: ToldEvent, deps: ReadDeps): Promise<Reading> {
  const shown = SubscriptionShown.parse(event.data.object);
  const previous = event.data.previous_attributes ?? null;
  const shownBefore = previous === null ? null : SubscriptionShown.safeParse({ ...shown, ...previous });
  const change = {
    ...{ eventId: event.id, type: event.type, at: event.created },
    rank: await rankInSecond(deps.stripe, {
      ...{ eventId: event.id, subscriptionId: shown.id, at: event.created },
    }),
    before: shownBefore?.success === true ? await subscriptionState(shownBefore.data, deps) : null,
    after: await subscriptionState(shown, deps),
  };
  const facts = changeFacts(change, deps.kindOf);
  return { outcome: 'read', customerId: change.after.customerId, facts, story: null };
}

async function readSubscription(subscriptionId: string, deps: ReadDeps): Promise<Reading> {
  const shown = await shownNow(deps, subscriptionId);
  if (shown === null) return nothing('it is not at Stripe any more');
  const now = await subscriptionState(shown, deps);
  const { askedAt, kindOf } = deps;
  const told = await deps.lastTold(subscriptionId);
  const life = told === null ? lifeFacts(now, askedAt, kindOf) : [];
  const end = life.at(-1);
  const last = end === undefined ? told : { factId: end.factId, digest: digestOfFact(end, sha256) };
  const present = presentFact(now, { askedAt, last }, kindOf, sha256);
  const facts = present === null ? life : [...life, present];
  return { outcome: 'read', customerId: now.customerId, facts, story: null };
}

async function readInvoice(
  invoiceId: string,
  { stripe, prices, account, kindOf }: ReadDeps,
): Promise<Reading> {
  const story = await readInvoiceStory(stripe, prices, invoiceId);
  if (story === null) return nothing('it is a draft, or not there any more');
  const facts = invoiceFacts(story, account, kindOf);
  return { outcome: 'read', customerId: story.customerId, facts, story };
}
