import { canonicalJson } from '../../core/canonical-json.js';
import { InputError } from '../../core/errors.js';
import type { HashHex } from '../../core/identity.js';
import type { Instant } from '../../core/time.js';
import type { SubscriptionState } from '../../platform/outbound/stripe/read-subscription.js';
import { priceOf } from '../../platform/outbound/stripe/read-price.js';
import { fact, instantOf, minorOf, timeOf, type Fact } from './fact.js';
import { itemKind, type KindOfProduct } from './product-kinds.js';

/** An event of Stripe's about a subscription: what it was at that moment, and before. */
export interface SubscriptionChange {
  readonly eventId: string;
  readonly type: string;
  readonly at: number;
  /** Its place among the events of its subscription in the same second, from 1. */
  readonly rank: number;
  readonly before: SubscriptionState | null;
  readonly after: SubscriptionState;
}

/** A fact that tells a state, and which. */
export interface ToldState {
  readonly factId: string;
  readonly digest: string;
}

/** A subscription ends after whatever else happened to it in that second. */
const LAST_IN_SECOND = 1_000n;
/** When and why it came to be so is not what it is. */
const BESIDE_STATE = ['effectiveAt', 'reason'];
const ENDED = ['canceled', 'incomplete_expired'];
const STATUSES = ['active', 'trialing', 'past_due', 'incomplete', 'unpaid', 'paused', 'canceled'];
const INTERVALS = ['week', 'month', 'year'];

/** What an event of Stripe's tells; nothing when it changed nothing of what is sold. */
export function changeFacts(change: SubscriptionChange, kindOf: KindOfProduct): Fact[] {
  const { eventId, type, at, rank, before, after } = change;
  if (type === 'customer.subscription.created') return [startedFact(after, kindOf)];
  if (hasEnded(after)) return [endedFact(after, at, kindOf)];
  const isSame = before !== null && stateText(before, kindOf) === stateText(after, kindOf);
  if (isSame) return [];
  const wasResting = before !== null && isResting(before);
  const kind = isResting(after)
    ? 'subscription.paused'
    : wasResting || type === 'customer.subscription.resumed'
      ? 'subscription.resumed'
      : 'subscription.changed';
  return [stateFact(kind, eventId, after, instantOf(at) + BigInt(rank), kindOf)];
}

/**
 * What a subscription of which no event told is known to have gone through: how it began, with what it holds now, since Stripe does not
 * tell what it held then; the end of its trial; its own end.
 */
export function lifeFacts(now: SubscriptionState, askedAt: Instant, kindOf: KindOfProduct): Fact[] {
  const { subscriptionId, createdAt, trialEndsAt } = now;
  const isTrialOver = trialEndsAt !== null && instantOf(trialEndsAt) <= askedAt;
  const running: SubscriptionState = { ...now, status: 'active', pause: null, endedAt: null };
  const first: SubscriptionState = { ...running, status: trialEndsAt === null ? 'active' : 'trialing' };
  return [
    startedFact(first, kindOf),
    ...(isTrialOver && trialEndsAt > createdAt
      ? [
          stateFact(
            'subscription.changed',
            `${subscriptionId}/trial`,
            running,
            instantOf(trialEndsAt),
            kindOf,
          ),
        ]
      : []),
  ];
}

/** How it stands now, where that is not what was told last: since when is not known, so from when we asked. */
export function presentFact(
  now: SubscriptionState,
  { askedAt, last }: { readonly askedAt: Instant; readonly last: ToldState | null },
  kindOf: KindOfProduct,
  sha256: HashHex,
): Fact | null {
  const digest = sha256(stateText(now, kindOf));
  if (last?.digest === digest) return null;
  if (hasEnded(now)) return endedFact(now, now.endedAt ?? now.createdAt, kindOf);
  const type = isResting(now) ? 'subscription.paused' : 'subscription.changed';
  const key = sha256(`${last?.factId ?? ''}\n${digest}`).slice(0, 16);
  return stateFact(type, `${now.subscriptionId}/${key}`, now, askedAt, kindOf);
}

/** Equal digests: equal states, as far as what is sold. */
export function digestOfFact({ type, data }: Fact, sha256: HashHex): string {
  const state = Object.fromEntries(Object.entries(data).filter(([name]) => !BESIDE_STATE.includes(name)));
  return sha256(canonicalJson({ ...state, rests: type === 'subscription.paused' }));
}

function stateText(state: SubscriptionState, kindOf: KindOfProduct): string {
  return canonicalJson({ ...stateData(state, kindOf), rests: isResting(state) });
}

function startedFact(state: SubscriptionState, kindOf: KindOfProduct): Fact {
  const { subscriptionId, createdAt, startedAt } = state;
  const started = stateFact('subscription.started', subscriptionId, state, instantOf(createdAt), kindOf);
  if (startedAt === createdAt) return started;
  return { ...started, data: { ...started.data, effectiveAt: timeOf(startedAt) } };
}

function endedFact(state: SubscriptionState, at: number, kindOf: KindOfProduct): Fact {
  const endedAt = instantOf(state.endedAt ?? at) + LAST_IN_SECOND;
  const { subscriptionId, reason } = state;
  const ended = stateFact('subscription.canceled', subscriptionId, state, endedAt, kindOf);
  return reason === null ? ended : { ...ended, data: { ...ended.data, reason } };
}

function stateFact(
  type: Fact['type'],
  key: string,
  state: SubscriptionState,
  at: Instant,
  kindOf: KindOfProduct,
): Fact {
  return fact(type, key, { objectId: state.subscriptionId, at, data: stateData(state, kindOf) });
}

function hasEnded({ status }: SubscriptionState): boolean {
  return ENDED.includes(status);
}

/** A pause that keeps its invoices for later only puts off the money; the others give the time away. */
function isResting({ status, pause }: SubscriptionState): boolean {
  return status === 'paused' || (pause !== null && pause !== 'keep_as_draft');
}

function stateData(state: SubscriptionState, kindOf: KindOfProduct): Record<string, unknown> {
  const { subscriptionId, currency, trialEndsAt, anchorAt, discounts } = state;
  return {
    subscriptionId,
    currency,
    status: statusOf(state),
    items: state.items.map((item) => itemData(item, currency, kindOf)),
    ...(discounts.length === 0
      ? {}
      : {
          discounts: discounts.map(({ percentOff, amountOff, endsAt }) => ({
            ...(percentOff === null ? {} : { percentOff }),
            ...(amountOff === null ? {} : { amountOffMinor: minorOf(amountOff, currency) }),
            ...(endsAt === null ? {} : { endsAt: timeOf(endsAt) }),
          })),
        }),
    ...(trialEndsAt === null ? {} : { trialEndsAt: timeOf(trialEndsAt) }),
    billingAnchorAt: timeOf(anchorAt),
  };
}

function statusOf(state: SubscriptionState): string {
  if (hasEnded(state)) return 'canceled';
  if (isResting(state)) return 'paused';
  const known = STATUSES.find((status) => status === state.status);
  if (known !== undefined) return known;
  throw new InputError(
    'invalid_input',
    `${state.subscriptionId} has the status ${state.status} at Stripe, which events do not have`,
  );
}

/** A price that has no whole amount for one (tiers, packages, parts of a cent) is told as what the quantity costs as a whole. */
function itemData(
  { itemId, quantity, price }: SubscriptionState['items'][number],
  currency: string,
  kindOf: KindOfProduct,
): Record<string, unknown> {
  const count = BigInt(quantity ?? 1);
  const each = priceOf(price, 1n);
  const whole = price.isMetered ? 0n : priceOf(price, count);
  const isLinear =
    !price.isMetered && price.tiers === null && price.packages === null && each * count === whole;
  return {
    itemId,
    kind: itemKind(price, kindOf),
    productId: price.productId,
    ...(isLinear
      ? { quantity: count, unitAmountMinor: minorOf(each, currency) }
      : { quantity: 1n, unitAmountMinor: minorOf(whole, currency) }),
    ...rhythmOf(price.every, price.priceId),
  };
}

function rhythmOf(every: SubscriptionState['items'][number]['price']['every'], priceId: string): object {
  const interval = INTERVALS.find((one) => one === every?.interval);
  if (every !== null && interval !== undefined) return { interval, intervalCount: every.count };
  // Seven days are a week; any other number of days has no name in events.
  if (every?.interval === 'day' && every.count % 7 === 0)
    return { interval: 'week', intervalCount: every.count / 7 };
  throw new InputError(
    'invalid_input',
    `${priceId} is paid every ${every === null ? 'time' : `${every.count} ${every.interval}`}, which events do not have; sell by week, month or year`,
  );
}
