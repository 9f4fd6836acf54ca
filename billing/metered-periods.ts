import { addIntervals, dayOf, periodFromAnchor, type IntervalUnit } from '../core/calendar.js';
import type { Catalog } from '../core/catalog.js';
import { packagesOfBundle } from '../core/catalog/bundle-contents.js';
import type { Sold } from '../core/catalog/products.js';
import {
  addDecimals,
  multiplyDecimals,
  parseDecimal,
  roundDecimal,
  ZERO,
  divideRounded,
  type Decimal,
} from '../core/decimal.js';
import { overlapOf, type Instant, type Period } from '../core/time.js';
import type { HeldItem, Subscription, SubscriptionState } from './subscription-timeline.js';

/** A stretch of a usage period in which usage counts, with what is included in it; null is without limit. */
export interface MeteredWindow extends Period {
  readonly included: Decimal | null;
}

/** The usage of one meter, by one subscription, in one of its periods: what becomes a line. */
export interface MeteredPeriod extends Period {
  readonly orgId: string;
  readonly subscriptionId: string;
  readonly currency: string;
  readonly meterId: string;
  /** One window per state for allowances per period (they share one allowance); one per day for daily ones. */
  readonly windows: readonly MeteredWindow[];
  readonly isDaily: boolean;
  /** Executions on the customer's own model key do not count. */
  readonly skipsOwnKey: boolean;
  /** What it is sold by: where price and stop policy are looked up. */
  readonly scopes: readonly Scope[];
}

export interface Scope {
  readonly kind: HeldItem['kind'];
  readonly id: string;
  readonly quantity: string;
  readonly sold: Sold;
}

/** Precision of a prorated allowance: finer than any quantity that an event can carry. */
const ALLOWANCE_SCALE = 12;

/** What one item brings: itself, and for a bundle the packages in it. */
function soldBy(catalog: Catalog, { kind, productId, quantity }: HeldItem): Scope[] {
  const shelf: Readonly<Record<string, Sold>> = {
    plan: catalog.plans,
    addon: catalog.addons,
    bundle: catalog.bundles,
    package: catalog.packages,
  }[kind];
  const sold = Object.hasOwn(shelf, productId) ? shelf[productId] : undefined;
  if (sold === undefined) return [];
  const bundle = kind === 'bundle' ? catalog.bundles[productId] : undefined;
  const packages = bundle === undefined ? [] : packagesOfBundle(catalog, bundle);
  return [
    { kind, id: productId, quantity, sold },
    ...packages.flatMap((id) => soldBy(catalog, { kind: 'package', productId: id, quantity })),
  ];
}

/** How long a usage period is: a month, also where a year is paid ahead; longer only where the list price itself is. */
function stepOf(catalog: Catalog, subscription: Subscription): { unit: IntervalUnit; count: number } {
  for (const state of subscription.states) {
    for (const { kind, productId } of state.items) {
      const plan =
        kind === 'plan' && Object.hasOwn(catalog.plans, productId) ? catalog.plans[productId] : undefined;
      if (plan !== undefined && plan.price.interval !== 'once')
        return { unit: plan.price.interval, count: 1 };
    }
  }
  return { unit: 'month', count: 1 };
}

/** The period of a subscription that holds an instant; null before its first. */
export function periodAt(catalog: Catalog, subscription: Subscription, at: Instant): Period | null {
  if (at < subscription.anchor) return null;
  const { start, end } = periodFromAnchor(
    subscription.anchor,
    stepOf(catalog, subscription),
    at,
    catalog.zone,
  );
  return { start, end };
}

/** The periods of a subscription that end inside `ending`, oldest first. */
export function periodsEnding(catalog: Catalog, subscription: Subscription, ending: Period): Period[] {
  const step = stepOf(catalog, subscription);
  const periods: Period[] = [];
  let index = periodFromAnchor(subscription.anchor, step, ending.start, catalog.zone).index;
  for (;;) {
    const start = addIntervals(subscription.anchor, index * step.count, step.unit, catalog.zone);
    const end = addIntervals(subscription.anchor, (index + 1) * step.count, step.unit, catalog.zone);
    // A period's last instant decides: one that ends at midnight on the first belongs to the month before.
    if (end > ending.end) return periods;
    if (end > ending.start && start >= subscription.anchor) periods.push({ start, end });
    index += 1;
  }
}

interface Held {
  readonly part: Period;
  readonly state: SubscriptionState;
  readonly scopes: readonly Scope[];
}

function heldIn(catalog: Catalog, subscription: Subscription, period: Period): Held[] {
  return subscription.states.flatMap((state) => {
    const part = overlapOf({ start: state.from, end: state.to ?? period.end }, period);
    if (part === null || !state.isBillable) return [];
    return [{ part, state, scopes: state.items.flatMap((item) => soldBy(catalog, item)) }];
  });
}

/** What the scopes of one state include of a meter: their sum, or null when one of them sets no limit. */
function includedBy(scopes: readonly Scope[], meterId: string): Decimal | null {
  let included = ZERO;
  for (const { sold, quantity } of scopes) {
    const allowance = sold.allowances[meterId];
    if (allowance === undefined) continue;
    if (allowance.quantity === undefined) return null;
    const one = parseDecimal(allowance.quantity);
    included = addDecimals(included, allowance.perSeat ? multiplyDecimals(one, parseDecimal(quantity)) : one);
  }
  return included;
}

/** An allowance for part of a period, by seconds: across a plan change the parts add up to one period's. */
function prorate(included: Decimal | null, part: Period, period: Period): Decimal | null {
  if (included === null) return null;
  if (part.start === period.start && part.end === period.end) return included;
  const scaled = roundDecimal(included, ALLOWANCE_SCALE);
  const atScale = scaled.unscaled * 10n ** BigInt(ALLOWANCE_SCALE - scaled.scale);
  return {
    unscaled: divideRounded(atScale * (part.end - part.start), period.end - period.start),
    scale: ALLOWANCE_SCALE,
  };
}

function daysOf(part: Period, zone: string): Period[] {
  const days: Period[] = [];
  for (let at: Instant = part.start; at < part.end;) {
    const day = dayOf(at, zone);
    days.push({ start: at, end: day.end < part.end ? day.end : part.end });
    at = day.end;
  }
  return days;
}

/** What a subscription's items meter in one of its periods, meter by meter in the catalog's order. */
export function meteredPeriods(
  catalog: Catalog,
  subscription: Subscription,
  period: Period,
): MeteredPeriod[] {
  const held = heldIn(catalog, subscription, period);
  return Object.keys(catalog.meters).flatMap((meterId): MeteredPeriod[] => {
    const scopes = held.flatMap((part) => part.scopes).filter(({ sold }) => meterId in sold.allowances);
    if (scopes.length === 0) return [];
    const isDaily = scopes.some(({ sold }) => sold.allowances[meterId]?.per === 'day');
    const windows = held.flatMap(({ part, scopes: sells }): MeteredWindow[] => {
      const included = includedBy(sells, meterId);
      if (isDaily) return daysOf(part, catalog.zone).map((day) => ({ ...day, included }));
      return [{ ...part, included: prorate(included, part, period) }];
    });
    return [
      {
        ...period,
        orgId: subscription.orgId,
        subscriptionId: subscription.subscriptionId,
        currency: subscription.currency,
        meterId,
        windows,
        isDaily,
        skipsOwnKey: scopes.some(({ sold }) => sold.ownKey?.uncountedMeters.includes(meterId) === true),
        scopes,
      },
    ];
  });
}
