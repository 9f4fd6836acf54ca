import { addIntervals, dayOf } from '../core/calendar.js';
import type { Meter } from '../core/catalog/usage.js';
import {
  addDecimals,
  decimalOf,
  divideRounded,
  multiplyDecimals,
  normalize,
  parseDecimal,
  tenToThe,
  ZERO,
  type Decimal,
} from '../core/decimal.js';
import { overlapOf, type Instant, type Period } from '../core/time.js';
import type { BillingPeriod } from './billing-periods.js';
import type { CatalogAt } from './catalog-versions.js';
import { entryOf, isMetering, scopesOf, type Scope } from './held-scopes.js';
import type { Subscription } from './subscription-timeline.js';

/** A stretch with an allowance of its own; null is without limit. */
export interface Bucket extends Period {
  readonly included: Decimal | null;
}

/** A stretch in which a subscription holds the same things that meter something. */
export interface Holding extends Period {
  /** Its usage is billed. In a trial or a pause it is not, but belongs to nobody else either. */
  readonly isBillable: boolean;
  readonly scopes: readonly Scope[];
  readonly packages: readonly string[];
  readonly hasPlan: boolean;
  /** Executions on the customer's own model key do not count. */
  readonly skipsOwnKey: boolean;
  /** What a level (storage) may reach in it; null is without limit. */
  readonly limit: Decimal | null;
}

/** The usage of one meter, by one subscription, in one of its periods: what becomes a line. */
export interface MeteredPeriod extends Period {
  readonly orgId: string;
  readonly subscriptionId: string;
  readonly startedAt: Instant;
  readonly currency: string;
  readonly meterId: string;
  readonly meter: Meter;
  readonly holdings: readonly Holding[];
  /**
   * Allowances, the shortest first: days, months of a longer period, the period. What one bucket does not cover goes on
   * to the one of the next level that holds it, and what the last does not cover is over.
   */
  readonly levels: readonly (readonly Bucket[])[];
}

/** Precision of a prorated allowance: finer than any quantity that an event can carry. */
const ALLOWANCE_SCALE = 12;
/** Weeks: a monthly allowance is 12/52 of itself in each. */
const WEEKS_PER_YEAR = 52n;

type Per = 'period' | 'month' | 'day';

/** A stretch of time for which one allowance was bought. */
interface Grant extends Period {
  readonly per: Per;
  readonly quantity: Decimal | null;
}

interface Part extends Period {
  readonly isBillable: boolean;
  readonly scopes: readonly Scope[];
}

/** What a subscription's items meter in one of its periods, meter by meter. */
export function meteredPeriods(
  subscription: Subscription,
  period: BillingPeriod,
  catalogAt: CatalogAt,
): MeteredPeriod[] {
  const states = subscription.states.flatMap((state) => {
    const part = overlapOf({ start: state.from, end: state.to ?? period.end }, period);
    return part === null ? [] : [{ state, part }];
  });
  const parts = states.map(({ state, part }): Part => {
    const scopes = state.items.flatMap((item) => scopesOf(item, catalogAt, period.start));
    return { ...part, isBillable: state.isBillable, scopes };
  });
  const currency = (states.findLast(({ state }) => state.isBillable) ?? states.at(-1))?.state.currency;
  if (currency === undefined) return [];
  return [...metersOf(parts)].flatMap(([meterId, meter]): MeteredPeriod[] => {
    const holdings = parts.flatMap((part) => holdingOf(part, meterId));
    const opensAt = isFull(subscription, period, parts) ? period.whole.start : null;
    const grants = grantsOf(parts, meterId, period, opensAt);
    return [
      {
        start: period.start,
        end: period.end,
        orgId: subscription.orgId,
        subscriptionId: subscription.subscriptionId,
        startedAt: subscription.startedAt,
        currency,
        meterId,
        meter,
        holdings,
        levels: levelsOf(grants, period),
      },
    ];
  });
}

/** The meters that something held is metered by, as the version it was sold under defines them; the latest decides. */
function metersOf(parts: readonly Part[]): ReadonlyMap<string, Meter> {
  const meters = new Map<string, Meter>();
  for (const scope of parts.flatMap(({ scopes }) => scopes)) {
    for (const [meterId, meter] of Object.entries(scope.soldUnder.catalog.meters)) {
      if (isMetering(scope, meterId)) meters.set(meterId, meter);
    }
  }
  return meters;
}

function holdingOf({ scopes, ...part }: Part, meterId: string): Holding[] {
  const metering = scopes.filter((scope) => isMetering(scope, meterId));
  if (metering.length === 0) return [];
  return [
    {
      ...part,
      scopes: metering,
      packages: [...new Set(metering.flatMap(({ packages }) => packages))],
      hasPlan: metering.some(({ kind }) => kind === 'plan'),
      skipsOwnKey: metering.some(({ sold }) => sold.ownKey?.uncountedMeters.includes(meterId) === true),
      limit: sumOf(metering.map((scope) => quantityOf(scope, meterId))),
    },
  ];
}

/** How much a scope includes: 0 where it only has a price, null where it sets no limit. */
function quantityOf({ sold, quantity }: Scope, meterId: string): Decimal | null {
  const allowance = entryOf(sold.allowances, meterId);
  if (allowance === undefined) return ZERO;
  if (allowance.quantity === undefined) return null;
  const one = parseDecimal(allowance.quantity);
  return allowance.perSeat ? multiplyDecimals(one, quantity) : one;
}

/** Without limit plus anything is without limit. */
function sumOf(quantities: readonly (Decimal | null)[]): Decimal | null {
  return quantities.reduce<Decimal | null>(
    (sum, quantity) => (sum === null || quantity === null ? null : addDecimals(sum, quantity)),
    ZERO,
  );
}

/** Whether this is a partial first period whose plan gives its allowances in full. */
function isFull({ states }: Subscription, period: BillingPeriod, parts: readonly Part[]): boolean {
  const firstBilled = states.find(({ isBillable }) => isBillable);
  if (firstBilled === undefined || firstBilled.from < period.start || firstBilled.from >= period.end) {
    return false;
  }
  const opening = parts.find(({ isBillable }) => isBillable);
  return opening?.scopes.some(({ sold }) => 'firstPeriod' in sold && sold.firstPeriod === 'full') === true;
}

/**
 * Which allowances hold when. Time that is not billed after time that was belongs to the state before it: a pause or a
 * cancellation takes nothing back that had been paid for. Time before the first billed instant brings nothing, unless
 * the first period is full: then it `opensAt` its calendar's begin.
 */
function grantsOf(
  parts: readonly Part[],
  meterId: string,
  period: BillingPeriod,
  opensAt: Instant | null,
): Grant[] {
  const billed = parts.filter(({ isBillable }) => isBillable);
  return billed.flatMap((part, index) => {
    const start = index === 0 && opensAt !== null ? opensAt : part.start;
    const end = billed[index + 1]?.start ?? period.end;
    return part.scopes.flatMap((scope): Grant[] => {
      const per = entryOf(scope.sold.allowances, meterId)?.per;
      return per === undefined ? [] : [{ start, end, per, quantity: quantityOf(scope, meterId) }];
    });
  });
}

function levelsOf(grants: readonly Grant[], period: BillingPeriod): Bucket[][] {
  const per = (wanted: Per): Grant[] => grants.filter((grant) => grant.per === wanted);
  const isLonger = period.unit === 'quarter' || period.unit === 'year';
  const days = per('day');
  const months = per('month');
  const monthly = isLonger ? [] : months.map((grant) => perPeriod(grant, period));
  const levels: Bucket[][] = [];
  if (days.length > 0) levels.push(daysOf(period, days).map((day) => filled(day, day, days)));
  if (isLonger && months.length > 0) {
    levels.push(monthsOf(period).map(({ part, whole }) => filled(part, whole, months)));
  }
  levels.push([filled(period, period.whole, [...per('period'), ...monthly])]);
  return levels;
}

/** In a period of a month, a monthly allowance is the period's. */
function perPeriod(grant: Grant, { unit }: BillingPeriod): Grant {
  if (unit !== 'week' || grant.quantity === null) return grant;
  const yearly = multiplyDecimals(grant.quantity, decimalOf(12n));
  return { ...grant, quantity: divided(yearly, WEEKS_PER_YEAR) };
}

/** The days of a period in the catalog's zone, from the first on which something is included. One begun counts whole. */
function daysOf(period: BillingPeriod, grants: readonly Grant[]): Period[] {
  const first = grants.reduce((least, { start }) => (start < least ? start : least), period.end);
  const days: Period[] = [];
  for (let start = first > period.start ? first : period.start; start < period.end;) {
    const { end } = dayOf(start, period.zone);
    days.push({ start, end: end < period.end ? end : period.end });
    start = end;
  }
  return days;
}

/** The months of a longer period, counted as the period is. */
function monthsOf(period: BillingPeriod): { part: Period; whole: Period }[] {
  const { zone, whole } = period;
  const months: { part: Period; whole: Period }[] = [];
  let { start } = whole;
  for (let count = 1; start < whole.end; count += 1) {
    const end = addIntervals(whole.start, count, 'month', zone);
    const month = { start, end: end < whole.end ? end : whole.end };
    const part = overlapOf(month, period);
    if (part !== null) months.push({ part, whole: month });
    start = month.end;
  }
  return months;
}

/** By seconds: the parts of `whole` for which allowances were bought add up, and are rounded once. */
function filled(part: Period, whole: Period, grants: readonly Grant[]): Bucket {
  let product = ZERO;
  for (const grant of grants) {
    const shared = overlapOf(grant, whole);
    if (shared === null) continue;
    if (grant.quantity === null) return { start: part.start, end: part.end, included: null };
    product = addDecimals(product, multiplyDecimals(grant.quantity, decimalOf(shared.end - shared.start)));
  }
  return { start: part.start, end: part.end, included: divided(product, whole.end - whole.start) };
}

function divided({ unscaled, scale }: Decimal, by: bigint): Decimal {
  const atScale = divideRounded(unscaled * tenToThe(ALLOWANCE_SCALE), by * tenToThe(scale));
  return normalize({ unscaled: atScale, scale: ALLOWANCE_SCALE });
}
