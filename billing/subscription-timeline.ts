import { z } from 'zod';
import { eventTypes } from '../core/events.js';
import { compareText } from '../core/compare.js';
import { parseInstant, tryParseDateOrInstant, type Instant } from '../core/time.js';

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
}

/** What a subscription was between two instants. `to` is null while it lasts. */
export interface SubscriptionState {
  readonly from: Instant;
  readonly to: Instant | null;
  /** Usage in it is billed: the subscription is active or past due, and no trial is running. */
  readonly isBillable: boolean;
  readonly items: readonly HeldItem[];
}

export interface Subscription {
  readonly orgId: string;
  readonly subscriptionId: string;
  readonly currency: string;
  /** Where its periods are counted from. */
  readonly anchor: Instant;
  readonly states: readonly SubscriptionState[];
}

const Data = z.union([eventTypes['subscription.started'].data, eventTypes['subscription.canceled'].data]);
const BILLABLE = new Set(['active', 'past_due']);

interface Change {
  readonly event: SubscriptionEvent;
  readonly data: z.infer<typeof Data>;
  readonly effectiveAt: Instant;
}

function changeOf(event: SubscriptionEvent): Change {
  const data = Data.parse(JSON.parse(event.data));
  return { event, data, effectiveAt: data.effectiveAt == null ? event.at : parseInstant(data.effectiveAt) };
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
    const key = `${change.event.orgId}\n${change.data.subscriptionId}`;
    bySubscription.set(key, [...(bySubscription.get(key) ?? []), change]);
  }
  return [...bySubscription.values()]
    .map((changes) => subscriptionFrom(changes.sort(inOrder)))
    .sort((a, b) => compareText(a.orgId, b.orgId) || compareText(a.subscriptionId, b.subscriptionId));
}

function subscriptionFrom(changes: readonly Change[]): Subscription {
  const [first] = changes;
  const last = changes.at(-1);
  if (first === undefined || last === undefined)
    throw new RangeError('a subscription has at least one event');
  const anchored = changes.find(({ data }) => data.billingAnchorAt != null)?.data.billingAnchorAt;
  return {
    orgId: first.event.orgId,
    subscriptionId: first.data.subscriptionId,
    currency: last.data.currency,
    anchor: (anchored == null ? null : tryParseDateOrInstant(anchored)) ?? first.effectiveAt,
    states: changes.flatMap((change, index) => statesOf(change, changes[index + 1]?.effectiveAt ?? null)),
  };
}

/** One change makes one state, or two where a trial ends inside it. */
function statesOf({ event, data, effectiveAt: from }: Change, to: Instant | null): SubscriptionState[] {
  if (to !== null && to <= from) return [];
  const ended = event.type === 'subscription.canceled' || event.type === 'subscription.paused';
  const items = ended ? [] : (data.items ?? []).map((item) => ({ ...item, quantity: String(item.quantity) }));
  const status = ended ? 'canceled' : (data.status ?? 'active');
  const trialEnd = data.trialEndsAt == null ? null : parseInstant(data.trialEndsAt);
  if (trialEnd !== null && !ended && trialEnd > from && (BILLABLE.has(status) || status === 'trialing')) {
    const trial = { from, to: to === null || trialEnd < to ? trialEnd : to, isBillable: false, items };
    if (to !== null && trialEnd >= to) return [trial];
    return [trial, { from: trialEnd, to, isBillable: true, items }];
  }
  return [{ from, to, isBillable: !ended && BILLABLE.has(status), items }];
}
