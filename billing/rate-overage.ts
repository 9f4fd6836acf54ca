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

/** What was used in one window of a line, and what it includes; null includes without limit. */
export interface WindowUsage {
  readonly used: Decimal;
  readonly included: Decimal | null;
}

export interface RatedUsage {
  readonly used: Decimal;
  readonly included: Decimal | null;
  readonly overage: Decimal;
}

/** `flow`: usage adds up. `level`: the highest reading counts. `daily`: each day has an allowance of its own. */
export type UsageKind = 'flow' | 'level' | 'daily';

/**
 * Usage over what is included. Windows of one period share their allowance; daily windows each have their own, and what one day
 * leaves unused helps no other.
 */
export function overageOf(windows: readonly WindowUsage[], kind: UsageKind): RatedUsage {
  const used = windows.reduce(
    (sum, window) => (kind === 'level' ? larger(sum, window.used) : addDecimals(sum, window.used)),
    ZERO,
  );
  const included = windows.reduce<Decimal | null>(
    (sum, window) => (sum === null || window.included === null ? null : addDecimals(sum, window.included)),
    ZERO,
  );
  if (included === null) return { used, included, overage: ZERO };
  const overage =
    kind === 'daily'
      ? windows.reduce(
          (sum, window) => addDecimals(sum, excess(window.used, window.included ?? window.used)),
          ZERO,
        )
      : excess(used, included);
  return { used, included, overage };
}

function larger(a: Decimal, b: Decimal): Decimal {
  return compareDecimals(a, b) >= 0 ? a : b;
}

function excess(used: Decimal, included: Decimal): Decimal {
  return compareDecimals(used, included) > 0 ? subtractDecimals(used, included) : ZERO;
}

/** A price in the subscription's currency, or why there is none. */
export type PriceFound =
  | {
      readonly ok: true;
      readonly rate: UnitRate;
      readonly block: Decimal | null;
      readonly isAssumed: boolean;
    }
  | { readonly ok: false; readonly reason: string };

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
export function rateOverage(price: Extract<PriceFound, { ok: true }>, overage: Decimal): Money {
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
