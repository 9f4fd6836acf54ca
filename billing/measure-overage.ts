import {
  addDecimals,
  compareDecimals,
  divideRounded,
  subtractDecimals,
  tenToThe,
  ZERO,
  type Decimal,
} from '../core/decimal.js';
import { isWithin, type Instant, type Period } from '../core/time.js';
import type { Bucket } from './allowance-levels.js';

/** Finer than a quantity that an event can carry. */
const LEVEL_SCALE = 12;

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

/**
 * Levels by the time that they held (GB × months): what was held and what was allowed are both sums of level × time, and each is
 * divided once by how long a whole period is, to 12 digits, half away from zero.
 *
 * @param held,allowed sums of level × microseconds; null is without limit
 */
export function overageOfTime(held: Decimal, allowed: Decimal | null, whole: Period): RatedUsage {
  const perPeriod = ({ unscaled, scale }: Decimal): Decimal => ({
    unscaled: divideRounded(unscaled * tenToThe(LEVEL_SCALE), (whole.end - whole.start) * tenToThe(scale)),
    scale: LEVEL_SCALE,
  });
  return {
    used: perPeriod(held),
    included: allowed === null ? null : perPeriod(allowed),
    overage: allowed === null ? ZERO : perPeriod(excess(held, allowed)),
  };
}

/** How much of what is included is left. */
export function leftOf({ used, included }: RatedUsage): Decimal | null {
  return included === null ? null : excess(included, used);
}

function excess(used: Decimal, included: Decimal): Decimal {
  return compareDecimals(used, included) > 0 ? subtractDecimals(used, included) : ZERO;
}
