import {
  addDecimals,
  compareDecimals,
  decimalOf,
  divideRounded,
  multiplyDecimals,
  parseDecimal,
  subtractDecimals,
  tenToThe,
  ZERO,
  type Decimal,
} from '../core/decimal.js';
import { currencyExponent, multiplyRate, type Money, type UnitRate } from '../core/money.js';
import type { OveragePrice } from '../core/catalog/usage.js';
import { isWithin, type Instant, type Period } from '../core/time.js';
import type { Bucket } from './allowance-levels.js';

/** What was used in one window of a line. */
export interface WindowUsage extends Period {
  readonly used: Decimal;
}

export interface RatedUsage {
  readonly used: Decimal;
  /** Null is without limit. */
  readonly included: Decimal | null;
  readonly overage: Decimal;
}

/**
 * Usage that adds up (operations, messages) over what is included. Each level of allowances takes what it covers, bucket by
 * bucket: what one day leaves unused helps no other, and what a day does not cover is set against the period's own allowance.
 */
export function overageOfFlow(
  windows: readonly WindowUsage[],
  levels: readonly (readonly Bucket[])[],
): RatedUsage {
  const over = levels.reduce<readonly WindowUsage[]>(excessOver, windows);
  return { used: totalOf(windows), included: includedIn(levels), overage: totalOf(over) };
}

/** How much more can be used at an instant before something is over: what that day has left, and that period. */
export function remainingOfFlow(
  windows: readonly WindowUsage[],
  levels: readonly (readonly Bucket[])[],
  at: Instant,
): Decimal | null {
  let flows = windows;
  let remaining = ZERO;
  for (const buckets of levels) {
    for (const bucket of buckets.filter((one) => isWithin(at, one))) {
      if (bucket.included === null) return null;
      remaining = addDecimals(remaining, excess(bucket.included, totalOf(flowsIn(flows, bucket))));
    }
    flows = excessOver(flows, buckets);
  }
  return remaining;
}

/** What the buckets of one level do not cover; usage in none of them goes by. */
function excessOver(flows: readonly WindowUsage[], buckets: readonly Bucket[]): readonly WindowUsage[] {
  const outside = flows.filter((flow) => !buckets.some((bucket) => isWithin(flow.start, bucket)));
  const over = buckets.map(({ start, end, included }) => {
    const used = totalOf(flowsIn(flows, { start, end }));
    return { start, end, used: included === null ? ZERO : excess(used, included) };
  });
  return [...outside, ...over];
}

function flowsIn(flows: readonly WindowUsage[], bucket: Period): WindowUsage[] {
  return flows.filter(({ start }) => isWithin(start, bucket));
}

function includedIn(levels: readonly (readonly Bucket[])[]): Decimal | null {
  const included = levels.flat().map((bucket) => bucket.included);
  return included.reduce<Decimal | null>(
    (sum, one) => (sum === null || one === null ? null : addDecimals(sum, one)),
    ZERO,
  );
}

function totalOf(windows: readonly WindowUsage[]): Decimal {
  return windows.reduce((sum, { used }) => addDecimals(sum, used), ZERO);
}

/**
 * A level (storage) is not used up: what counts is the most it ever was over what was allowed at that time. What is shown as used
 * and included is that moment's; where nothing was over, the highest level's.
 */
export function overageOfLevel(
  windows: readonly { readonly used: Decimal; readonly limit: Decimal | null }[],
): RatedUsage {
  const rated = windows.map(({ used, limit }) => ({
    used,
    included: limit,
    overage: limit === null ? ZERO : excess(used, limit),
  }));
  const [first] = rated;
  if (first === undefined) return { used: ZERO, included: ZERO, overage: ZERO };
  return rated.reduce((worst, one) => {
    const order = compareDecimals(one.overage, worst.overage) || compareDecimals(one.used, worst.used);
    return order >= 0 ? one : worst;
  }, first);
}

function excess(used: Decimal, included: Decimal): Decimal {
  return compareDecimals(used, included) > 0 ? subtractDecimals(used, included) : ZERO;
}

/** A price in the subscription's currency. */
export interface Price {
  readonly ok: true;
  readonly rate: UnitRate;
  /** The rate is for so many units; null: for one. */
  readonly block: Decimal | null;
  readonly isAssumed: boolean;
}

export type PriceFound = Price | { readonly ok: false; readonly reason: string };

/** The overage price in one currency. Prices that this version does not rate are named, never guessed. */
export function priceIn(price: OveragePrice, currency: string): PriceFound {
  if (price.model !== 'per_unit' && price.model !== 'per_block') {
    return { ok: false, reason: `overage price of the model ${price.model} is not rated in this version` };
  }
  const rate = [price, ...price.otherCurrencies].find((offered) => offered.currency === currency);
  if (rate === undefined) return { ok: false, reason: `the catalog has no overage price in ${currency}` };
  return {
    ok: true,
    rate: { perUnit: parseDecimal(rate.amount), currency },
    block: price.model === 'per_block' ? parseDecimal(price.block) : null,
    isAssumed: rate.assumed,
  };
}

/**
 * The money for a quantity over the allowance, rounded once, half away from zero. A price per block holds for parts of a block:
 * $0.10 per 1,000 makes 1,500 cost $0.15.
 */
export function rateOverage(price: Price, overage: Decimal): Money {
  if (price.block === null) return multiplyRate(price.rate, overage);
  const { perUnit, currency } = price.rate;
  const exact = multiplyDecimals(
    multiplyDecimals(perUnit, overage),
    decimalOf(tenToThe(currencyExponent(currency))),
  );
  // One division of integers, and its rounding the only one: a quotient kept as a decimal could lose a half.
  const amountMinor = divideRounded(
    exact.unscaled * tenToThe(price.block.scale),
    price.block.unscaled * tenToThe(exact.scale),
  );
  return { amountMinor, currency };
}
