import { addIntervals, dateIn, startOfDay } from '../core/calendar.js';
import {
  addDecimals,
  decimalOf,
  divideRounded,
  multiplyDecimals,
  normalize,
  tenToThe,
  ZERO,
  type Decimal,
} from '../core/decimal.js';
import { addDays, overlapOf, type Period } from '../core/time.js';
import type { BillingPeriod } from './billing-periods.js';
import { quantityOf, type HeldPeriod, type Holding } from './held-periods.js';
import { entryOf } from './held-scopes.js';

/** A stretch with an allowance of its own; null is without limit. */
export interface Bucket extends Period {
  readonly included: Decimal | null;
}

/** Precision of a prorated allowance: finer than any quantity that an event can carry. */
const ALLOWANCE_SCALE = 12;
/** A monthly allowance is 12/52 of itself in each. */
const WEEKS_PER_YEAR = 52n;

type Per = 'period' | 'month' | 'day';

/** A stretch of time for which one allowance was bought. */
interface Grant extends Period {
  readonly per: Per;
  readonly quantity: Decimal | null;
}

/**
 * The allowances of a metered period, the shortest first: days, months of a longer period, the period. What one bucket
 * does not cover goes on to the one of the next level that holds it, and what the last does not cover is over.
 */
export function allowanceLevels({ holdings, meterId, billing: period }: HeldPeriod): Bucket[][] {
  const grants = holdings.flatMap((holding) => grantsOf(holding, meterId));
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

/**
 * What a metered period allows of levels that are measured by time: each allowance × the microseconds for which it was bought. An
 * allowance of a level is no amount that is used up, so what it is per makes no difference.
 */
export function allowedByTime({ holdings, meterId, billing: { whole } }: HeldPeriod): Decimal | null {
  const grants = holdings.flatMap((holding) => grantsOf(holding, meterId));
  return boughtIn(whole, grants);
}

function grantsOf({ granted, scopes }: Holding, meterId: string): Grant[] {
  if (granted === null) return [];
  return scopes.flatMap((scope) => {
    const per = entryOf(scope.sold.allowances, meterId)?.per;
    return per === undefined ? [] : [{ ...granted, per, quantity: quantityOf(scope, meterId) }];
  });
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
  let start = first > period.start ? first : period.start;
  for (let date = dateIn(start, period.zone); start < period.end;) {
    date = addDays(date, 1);
    const midnight = startOfDay(date, period.zone);
    const end = midnight < period.end ? midnight : period.end;
    // A day that a zone skipped (Samoa's 30 December 2011) has no time in it.
    if (start < end) days.push({ start, end });
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
  const bought = boughtIn(whole, grants);
  const included = bought === null ? null : divided(bought, whole.end - whole.start);
  return { start: part.start, end: part.end, included };
}

/** Quantity × microseconds; null is without limit. */
function boughtIn(whole: Period, grants: readonly Grant[]): Decimal | null {
  let product = ZERO;
  for (const grant of grants) {
    const shared = overlapOf(grant, whole);
    if (shared === null) continue;
    if (grant.quantity === null) return null;
    product = addDecimals(product, multiplyDecimals(grant.quantity, decimalOf(shared.end - shared.start)));
  }
  return product;
}

function divided({ unscaled, scale }: Decimal, by: bigint): Decimal {
  const atScale = divideRounded(unscaled * tenToThe(ALLOWANCE_SCALE), by * tenToThe(scale));
  return normalize({ unscaled: atScale, scale: ALLOWANCE_SCALE });
}
