import { eventTypes } from '../core/events.js';
import { compareText } from '../core/compare.js';
import { parseDecimal, type Decimal } from '../core/decimal.js';
import { invariant } from '../core/errors.js';
import { parseJsonExact } from '../core/json.js';
import { parseInstant, type Instant } from '../core/time.js';
import { z } from 'zod';
import type { Agreed } from './contracts.js';

/** A subscription event as the facts hold it: `data` is JSON text. */
export interface SubscriptionEvent {
  readonly orgId: string;
  readonly type: string;
  readonly source: string;
  readonly eventId: string;
  readonly at: Instant;
  readonly data: string;
}

export interface HeldItem {
  readonly kind: 'plan' | 'addon' | 'bundle' | 'package';
  readonly productId: string;
  readonly quantity: string;
  /** Since when it has been held without a break: the catalog in force then says what it is. */
  readonly soldAt: Instant;
}

/** What a subscription was between two instants. `to` is null while it lasts. */
export interface SubscriptionState {
  readonly from: Instant;
  readonly to: Instant | null;
  /** Usage in it is billed: the subscription is active or past due, and no trial is running. */
  readonly isBillable: boolean;
  /** A trial is running: usage goes on, and nobody pays for it. */
  readonly isTrial: boolean;
  readonly currency: string;
  /** What is held, billed or not; nothing once it is canceled. */
  readonly items: readonly HeldItem[];
  /** Percentages off; amounts off are of the recurring price alone. */
  readonly discounts: readonly PercentOff[];
  /** Null: what the catalog says. */
  readonly agreed: Agreed | null;
}

export interface PercentOff {
  readonly percentOff: Decimal;
  /** Null: it does not end by itself. */
  readonly endsAt: Instant | null;
}

/** From an instant on, billing periods are counted from `anchor`, which may lie before or after it. */
export interface BillingCycle {
  readonly from: Instant;
  readonly anchor: Instant;
}

export interface Subscription {
  readonly orgId: string;
  readonly subscriptionId: string;
  readonly startedAt: Instant;
  /** At least one; a new one where a change names another anchor, or where it starts again after its end. */
  readonly cycles: readonly BillingCycle[];
  readonly states: readonly SubscriptionState[];
}

const Data = z.union([eventTypes['subscription.started'].data, eventTypes['subscription.canceled'].data]);
const BILLABLE = new Set(['active', 'past_due']);

interface Change {
  readonly event: SubscriptionEvent;
  readonly data: z.infer<typeof Data>;
  readonly effectiveAt: Instant;
  readonly status: string;
}

function changeOf(event: SubscriptionEvent): Change {
  const json = parseJsonExact(event.data);
  invariant(json.ok, `subscription event ${event.source} ${event.eventId} must be JSON; ingest saw to it`);
  const data = Data.parse(json.value);
  const byType = { 'subscription.canceled': 'canceled', 'subscription.paused': 'paused' }[event.type];
  return {
    event,
    data,
    effectiveAt: data.effectiveAt == null ? event.at : parseInstant(data.effectiveAt),
    status: byType ?? data.status ?? 'active',
  };
}

/** Order at one instant: (effectiveAt, time, source, id), as everywhere. */
function inOrder(a: Change, b: Change): number {
  if (a.effectiveAt !== b.effectiveAt) return a.effectiveAt < b.effectiveAt ? -1 : 1;
  if (a.event.at !== b.event.at) return a.event.at < b.event.at ? -1 : 1;
  return compareText(a.event.source, b.event.source) || compareText(a.event.eventId, b.event.eventId);
}

/** Subscriptions from their events, in whatever order these come. Every event is the whole new state. */
export function subscriptionsOf(events: readonly SubscriptionEvent[]): Subscription[] {
  const bySubscription = new Map<string, Change[]>();
  for (const change of events.map(changeOf)) {
    const key = JSON.stringify([change.event.orgId, change.data.subscriptionId]);
    const changes = bySubscription.get(key) ?? [];
    changes.push(change);
    bySubscription.set(key, changes);
  }
  return [...bySubscription.values()]
    .map((changes) => subscriptionFrom(changes.sort(inOrder)))
    .sort((a, b) => compareText(a.orgId, b.orgId) || compareText(a.subscriptionId, b.subscriptionId));
}

function subscriptionFrom(changes: readonly Change[]): Subscription {
  const [first] = changes;
  invariant(first !== undefined, 'a subscription has at least one event');
  const states: SubscriptionState[] = [];
  let held: readonly HeldItem[] = [];
  for (const [index, change] of changes.entries()) {
    held = itemsAfter(change, held);
    states.push(...statesOf(change, held, changes[index + 1]?.effectiveAt ?? null));
  }
  return {
    orgId: first.event.orgId,
    subscriptionId: first.data.subscriptionId,
    startedAt: first.effectiveAt,
    cycles: cyclesOf(changes, first),
    states,
  };
}

function cyclesOf(changes: readonly Change[], first: Change): BillingCycle[] {
  const cycles: BillingCycle[] = [];
  let previous: Change | undefined;
  for (const change of changes) {
    const named = change.data.billingAnchorAt == null ? null : parseInstant(change.data.billingAnchorAt);
    const startsAgain = change.event.type === 'subscription.started' && previous?.status === 'canceled';
    const current = cycles.at(-1);
    // A change that names no anchor moves none: only a start has a default.
    const anchor = named ?? (current === undefined || startsAgain ? change.effectiveAt : current.anchor);
    if (anchor !== current?.anchor) cycles.push({ from: change.effectiveAt, anchor });
    previous = change;
  }
  invariant(cycles[0]?.from === first.effectiveAt, 'the first cycle begins with the subscription');
  return cycles;
}

/** What is held after a change. A pause may name its items or none: it goes on holding what it held. */
function itemsAfter({ data, status, effectiveAt }: Change, before: readonly HeldItem[]): HeldItem[] {
  if (status === 'canceled') return [];
  if (status === 'paused' && (data.items ?? []).length === 0) return [...before];
  return (data.items ?? []).map(({ kind, productId, quantity }) => {
    const known = before.find((item) => item.kind === kind && item.productId === productId);
    return { kind, productId, quantity: String(quantity), soldAt: known?.soldAt ?? effectiveAt };
  });
}

function discountsOf({ discounts }: Change['data']): PercentOff[] {
  return (discounts ?? []).flatMap(({ percentOff, endsAt }) => {
    if (percentOff == null) return [];
    return [
      {
        percentOff: parseDecimal(String(percentOff)),
        endsAt: endsAt == null ? null : parseInstant(endsAt),
      },
    ];
  });
}

/** One change makes one state, or two where a trial ends inside it. */
function statesOf(
  { data, effectiveAt: from, status }: Change,
  items: readonly HeldItem[],
  to: Instant | null,
): SubscriptionState[] {
  if (to !== null && to <= from) return [];
  const rest = { currency: data.currency, items, discounts: discountsOf(data), agreed: null };
  const trialEnd = data.trialEndsAt == null ? null : parseInstant(data.trialEndsAt);
  const isBilledAfterTrial = BILLABLE.has(status) || status === 'trialing';
  if (trialEnd === null || !isBilledAfterTrial) {
    return [{ from, to, isBillable: BILLABLE.has(status), isTrial: status === 'trialing', ...rest }];
  }
  const billed = { isBillable: true, isTrial: false, ...rest };
  const tried = { isBillable: false, isTrial: true, ...rest };
  if (trialEnd <= from) return [{ from, to, ...billed }];
  if (to !== null && trialEnd >= to) return [{ from, to, ...tried }];
  return [
    { from, to: trialEnd, ...tried },
    { from: trialEnd, to, ...billed },
  ];
}
