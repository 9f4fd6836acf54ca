import { addIntervals, periodFromAnchor, type IntervalUnit } from '../core/calendar.js';
import { overlapOf, type Instant, type Period } from '../core/time.js';
import type { CatalogAt } from './catalog-versions.js';
import { soldItem } from './held-scopes.js';
import type { HeldItem, Subscription } from './subscription-timeline.js';

/** A billing period of a subscription. */
export interface BillingPeriod extends Period {
  /** As long as the calendar makes it, counted from the anchor; longer than the period where that is a partial one. */
  readonly whole: Period;
  readonly zone: string;
  readonly unit: IntervalUnit;
}

/**
 * How long a usage period is: what the list price of what was sold first is per, a month in most catalogs. A year paid
 * ahead still has monthly allowances, so the item's own interval does not count.
 */
function unitOf(subscription: Subscription, catalogAt: CatalogAt): IntervalUnit {
  for (const { items } of subscription.states) {
    const isPlan = ({ kind }: HeldItem) => kind === 'plan';
    for (const item of [...items.filter(isPlan), ...items.filter((other) => !isPlan(other))]) {
      const interval = soldItem(item, catalogAt, subscription.startedAt)?.interval;
      if (interval !== undefined && interval !== 'once') return interval;
    }
  }
  return 'month';
}

/** The periods of a subscription that share an instant with `range`, oldest first; they never overlap one another. */
export function periodsIn(subscription: Subscription, range: Period, catalogAt: CatalogAt): BillingPeriod[] {
  // Borders must stay where they are whatever is published later: the version it was sold under lays them.
  const { zone } = catalogAt(subscription.startedAt).catalog;
  const unit = unitOf(subscription, catalogAt);
  return subscription.cycles.flatMap(({ from, anchor }, index) => {
    const next = subscription.cycles[index + 1]?.from;
    const wanted = overlapOf({ start: from, end: next ?? range.end }, range);
    if (wanted === null) return [];
    const periods: BillingPeriod[] = [];
    let { index: place, start, end } = periodFromAnchor(anchor, { unit, count: 1 }, wanted.start, zone);
    while (start < wanted.end) {
      const period = overlapOf({ start, end }, { start: from, end: next ?? end });
      if (period !== null) periods.push({ ...period, whole: { start, end }, zone, unit });
      place += 1;
      start = end;
      end = addIntervals(anchor, place + 1, unit, zone);
    }
    return periods;
  });
}

/**
 * The periods that end inside `ending`, oldest first. A period's last instant decides: one that ends at midnight on the
 * first belongs to the month before.
 */
export function periodsEnding(
  subscription: Subscription,
  ending: Period,
  catalogAt: CatalogAt,
): BillingPeriod[] {
  return periodsIn(subscription, ending, catalogAt).filter(
    ({ end }) => end > ending.start && end <= ending.end,
  );
}

/** The period that holds an instant; null before the first. */
export function periodAt(
  subscription: Subscription,
  at: Instant,
  catalogAt: CatalogAt,
): BillingPeriod | null {
  return periodsIn(subscription, { start: at, end: at + 1n }, catalogAt)[0] ?? null;
}
