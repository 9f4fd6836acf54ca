import type { OveragePrice } from '../core/catalog/usage.js';
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
import { currencyExponent, type Money } from '../core/money.js';

/** What a quantity over the allowance costs, in the subscription's currency. Amounts are in its major unit, as exact as they were written. */
export interface Price {
  readonly ok: true;
  readonly currency: string;
  readonly isAssumed: boolean;
  readonly terms: PriceTerms;
}

type PriceTerms =
  | { readonly model: 'per_unit'; readonly amount: Decimal }
  | { readonly model: 'per_block' | 'package'; readonly amount: Decimal; readonly block: Decimal }
  | { readonly model: 'graduated' | 'volume'; readonly tiers: readonly Tier[] };

/** A tier ends with `upTo`, which belongs to it; the last has no end. */
interface Tier {
  readonly upTo: Decimal | null;
  readonly amount: Decimal;
  /** Once, when anything is in it. */
  readonly flat: Decimal;
}

export type PriceFound = Price | { readonly ok: false; readonly reason: string };

/** An amount in the major unit that no decimal may hold: `amount` ÷ `per`. */
interface Exact {
  readonly amount: Decimal;
  readonly per: Decimal;
}

const ONE = decimalOf(1n);

/** The overage price in one currency; one that the catalog does not have in it is said, never converted. */
export function priceIn(price: OveragePrice, currency: string): PriceFound {
  const missing: PriceFound = { ok: false, reason: `the catalog has no overage price in ${currency}` };
  if (price.model === 'graduated' || price.model === 'volume') {
    if (price.currency !== currency) return missing;
    const tiers = price.tiers.map(({ upTo, amount, flat }) => ({
      upTo: upTo === undefined ? null : parseDecimal(upTo),
      amount: parseDecimal(amount),
      flat: flat === undefined ? ZERO : parseDecimal(flat),
    }));
    return { ok: true, currency, isAssumed: price.assumed, terms: { model: price.model, tiers } };
  }
  const rate = [price, ...price.otherCurrencies].find((offered) => offered.currency === currency);
  if (rate === undefined) return missing;
  const amount = parseDecimal(rate.amount);
  const terms: PriceTerms =
    price.model === 'per_unit'
      ? { model: 'per_unit', amount }
      : { model: price.model, amount, block: parseDecimal(price.block) };
  return { ok: true, currency, isAssumed: rate.assumed, terms };
}

/** The money for a quantity over the allowance, rounded once, half away from zero, to the minor unit. */
export function rateOverage({ terms, currency }: Price, overage: Decimal): Money {
  const { amount, per } = costOf(terms, overage);
  const minor = multiplyDecimals(amount, decimalOf(tenToThe(currencyExponent(currency))));
  // One division of integers, and its rounding the only one: a quotient kept as a decimal could lose a half.
  const amountMinor = divideRounded(
    minor.unscaled * tenToThe(per.scale),
    per.unscaled * tenToThe(minor.scale),
  );
  return { amountMinor, currency };
}

/** By what a first unit costs; without dividing. */
export function comparePrices(a: Price, b: Price): number {
  const [one, other] = [firstUnit(a.terms), firstUnit(b.terms)];
  return compareDecimals(multiplyDecimals(one.amount, other.per), multiplyDecimals(other.amount, one.per));
}

function firstUnit(terms: PriceTerms): Exact {
  // A package is sold whole, but what a unit of it costs is its part: else the smallest would always seem dear.
  return terms.model === 'package' ? { amount: terms.amount, per: terms.block } : costOf(terms, ONE);
}

function costOf(terms: PriceTerms, quantity: Decimal): Exact {
  switch (terms.model) {
    case 'per_unit':
      return { amount: multiplyDecimals(terms.amount, quantity), per: ONE };
    // Quoted per so many, and holds for parts of it: $0.10 per 1,000 makes 1,500 cost $0.15.
    case 'per_block':
      return { amount: multiplyDecimals(terms.amount, quantity), per: terms.block };
    case 'package':
      return {
        amount: multiplyDecimals(terms.amount, decimalOf(packagesIn(quantity, terms.block))),
        per: ONE,
      };
    case 'graduated':
      return { amount: graduated(terms.tiers, quantity), per: ONE };
    case 'volume':
      return { amount: volume(terms.tiers, quantity), per: ONE };
  }
}

/** Whole packages: one begun is one sold. */
function packagesIn(quantity: Decimal, block: Decimal): bigint {
  const wanted = quantity.unscaled * tenToThe(block.scale);
  const held = block.unscaled * tenToThe(quantity.scale);
  return (wanted + held - 1n) / held;
}

/** Each tier's price for the part of the quantity that lies in it. */
function graduated(tiers: readonly Tier[], quantity: Decimal): Decimal {
  let from = ZERO;
  let sum = ZERO;
  for (const { upTo, amount, flat } of tiers) {
    if (compareDecimals(quantity, from) <= 0) break;
    const to = upTo === null || compareDecimals(quantity, upTo) < 0 ? quantity : upTo;
    sum = addDecimals(sum, addDecimals(flat, multiplyDecimals(amount, subtractDecimals(to, from))));
    from = to;
  }
  return sum;
}

/** The price of the tier that the quantity reaches, for all of it. */
function volume(tiers: readonly Tier[], quantity: Decimal): Decimal {
  if (quantity.unscaled === 0n) return ZERO;
  const reached = tiers.find(({ upTo }) => upTo === null || compareDecimals(quantity, upTo) <= 0);
  return reached === undefined ? ZERO : addDecimals(reached.flat, multiplyDecimals(reached.amount, quantity));
}
