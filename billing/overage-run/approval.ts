import { formatMoney, type Money } from '../../core/money.js';

/** When somebody must look at a bill before anything of it leaves the house. */
export interface ApprovalRules {
  /** By currency: a bill of more than this. A currency that is not here has no bound. */
  readonly aboveMinor: ReadonlyMap<string, bigint>;
  /** A bill that brings an org's month to so many percent more than its month before; null: whatever it rises by. */
  readonly risePercent: number | null;
}

/** Bills of an org in one currency that were not withdrawn. */
export interface BilledSoFar {
  readonly monthMinor: bigint;
  readonly lastMonthMinor: bigint;
}

export const NOTHING_BILLED: BilledSoFar = { monthMinor: 0n, lastMonthMinor: 0n };

/** Every bill goes by itself. */
export const NO_APPROVAL: ApprovalRules = { aboveMinor: new Map(), risePercent: null };

const HUNDRED = 100n;

/**
 * Why a bill waits for somebody's approval; null where it needs none.
 *
 * @param billed without the bill itself. An org that had nothing last month rises by no percentage: the amount alone decides
 */
export function approvalReason(
  { amountMinor, currency }: Money,
  { monthMinor, lastMonthMinor }: BilledSoFar,
  { aboveMinor, risePercent }: ApprovalRules,
): string | null {
  const bound = aboveMinor.get(currency);
  if (bound !== undefined && amountMinor > bound) {
    return `it is of more than ${formatMoney({ amountMinor: bound, currency })}`;
  }
  const totalMinor = monthMinor + amountMinor;
  const isRise =
    risePercent !== null &&
    lastMonthMinor > 0n &&
    totalMinor * HUNDRED > lastMonthMinor * (HUNDRED + BigInt(risePercent));
  if (!isRise) return null;
  const [now, before] = [totalMinor, lastMonthMinor].map((minor) =>
    formatMoney({ amountMinor: minor, currency }),
  );
  return `it brings the month to ${now}, more than ${risePercent} % over the ${before} of the month before`;
}
