import { addDecimals, compareDecimals, subtractDecimals, type Decimal } from '../../core/decimal.js';
import type { Money } from '../../core/money.js';
import { netCaps, type CappedCharge } from '../net-caps.js';
import { rateOverage, type PriceFound } from '../overage-price.js';
import type { SpendCap, StopPolicy } from '../overage-terms.js';

export const DECISIONS = ['allow', 'allow_with_overage', 'pause'] as const;
export type Decision = (typeof DECISIONS)[number];

/** Why. Codes are a contract: add, never rename. */
export const REASONS = [
  'within_allowance',
  'unlimited',
  'over_allowance_billed',
  'over_allowance_unpriced',
  'hard_stop',
  'spend_cap',
  'not_subscribed',
  'not_billed',
  'payment_overdue',
  'usage_unknown',
] as const;
export type Reason = (typeof REASONS)[number];

/** Whether an org pays what it owes. Only `paused` stops work; `past_due` is the grace before it. */
export type Delinquency = 'none' | 'past_due' | 'paused';

/** Where one meter of an org stands: what a decision goes by. */
export interface Standing {
  /** What can still be used before something is over; null is without limit. */
  readonly remaining: Decimal | null;
  readonly overage: Decimal;
  readonly stop: StopPolicy;
  /** Null: a hard stop. */
  readonly price: PriceFound | null;
  /** As they are in force now. */
  readonly spendCaps: readonly SpendCap[];
  readonly catalogVersion: bigint | null;
  /** What the subscription's other meters owe in this period, with the caps that it counts against. */
  readonly elsewhere: readonly CappedCharge[];
}

/** What is known of the meter asked about. */
export type Known =
  | { readonly is: 'metered'; readonly standing: Standing }
  /** Nothing that the org holds meters it. */
  | { readonly is: 'not_subscribed' }
  /** Its usage is nobody's to bill: a trial, or an org of our own. */
  | { readonly is: 'not_billed' }
  | { readonly is: 'unknown'; readonly whenUnknown: 'open' | 'closed' };

export interface Verdict {
  readonly decision: Decision;
  readonly reason: Reason;
  /** What the overage of the period would come to with the quantity asked for; null where it has no price. */
  readonly amountAfter: Money | null;
}

/**
 * Whether a quantity would fit. An org that does not pay gets nothing; within its allowance it goes on; beyond, its stop policy
 * says, up to its spend caps: usage that would pass one is paused as a whole.
 */
export function decide(known: Known, quantity: Decimal, delinquency: Delinquency): Verdict {
  if (delinquency === 'paused') return verdict('pause', 'payment_overdue');
  switch (known.is) {
    case 'unknown':
      return verdict(known.whenUnknown === 'open' ? 'allow' : 'pause', 'usage_unknown');
    case 'not_subscribed':
      return verdict('pause', 'not_subscribed');
    case 'not_billed':
      return verdict('allow', 'not_billed');
    case 'metered':
      return decideMetered(known.standing, quantity);
  }
}

function decideMetered(standing: Standing, quantity: Decimal): Verdict {
  const { remaining, overage, price, stop } = standing;
  if (remaining === null) return verdict('allow', 'unlimited');
  const isOver = compareDecimals(quantity, remaining) > 0;
  const over = isOver ? addDecimals(overage, subtractDecimals(quantity, remaining)) : overage;
  const amountAfter = price?.ok === true ? rateOverage(price, over) : null;
  if (!isOver) return verdict('allow', 'within_allowance', amountAfter);
  if (stop === 'hard') return verdict('pause', 'hard_stop');
  if (amountAfter === null) return verdict('allow_with_overage', 'over_allowance_unpriced');
  if (isOverCap(standing, amountAfter)) return verdict('pause', 'spend_cap', amountAfter);
  return verdict('allow_with_overage', 'over_allowance_billed', amountAfter);
}

/** Whether the bill would give some of it back: what counts against each cap is what the bill counts. */
function isOverCap({ spendCaps, catalogVersion, elsewhere }: Standing, { amountMinor }: Money): boolean {
  const own = new Set(spendCaps.map(({ capId }) => capId));
  const { cuts } = netCaps([{ caps: spendCaps, catalogVersion, amountMinor }, ...elsewhere]);
  return cuts.some(({ cap }) => own.has(cap.capId));
}

/** The strictest of several: a job that needs all of its meters goes on only when each lets it. */
export function strictest<Decided extends { readonly decision: Decision }>(
  verdicts: readonly Decided[],
): Decided | undefined {
  return verdicts.reduce<Decided | undefined>(
    (worst, one) =>
      worst === undefined || DECISIONS.indexOf(one.decision) > DECISIONS.indexOf(worst.decision)
        ? one
        : worst,
    undefined,
  );
}

function verdict(decision: Decision, reason: Reason, amountAfter: Money | null = null): Verdict {
  return { decision, reason, amountAfter };
}
