import { compareText } from '../core/compare.js';
import type { PublishedCatalog } from '../core/catalog/tables.js';
import type { Money } from '../core/money.js';
import { entryOf, type Scope } from './held-scopes.js';
import type { HeldPeriod } from './held-periods.js';
import { comparePrices, priceIn, type PriceFound } from './overage-price.js';

export type StopPolicy = 'hard' | 'soft';

/** What usage over the allowances of a metered period comes to. */
export interface OverageTerms {
  readonly stop: StopPolicy;
  /** Null: a hard stop, where nothing is billed. */
  readonly price: PriceFound | null;
  /** The version of the catalog that says so. */
  readonly soldUnder: PublishedCatalog | null;
  readonly cap: SpendCap | null;
}

/** The most that a soft stop bills in a subscription period, in whatever it is sold with. */
export interface SpendCap extends Money {
  /** The product whose stop policy says so; no two share an id. */
  readonly productId: string;
  readonly isAssumed: boolean;
}

interface Offer {
  readonly scope: Scope;
  readonly stop: StopPolicy;
  readonly price: PriceFound;
}

const KINDS: readonly Scope['kind'][] = ['plan', 'bundle', 'package', 'addon'];
const NO_PRICE: PriceFound = { ok: false, reason: 'the catalog has no overage price for this meter here' };

/**
 * One price for all that is over, since allowances are shared. Of what was held and billed, the last to be held decides:
 * first what lets work go on and has a price in the subscription's currency, a plan before a bundle, a package and an
 * add-on, and of several the cheapest; else a hard stop. The order in which an event lists its items changes nothing.
 */
export function overageTerms({ holdings, meterId, currency }: HeldPeriod): OverageTerms {
  const latestFirst = holdings
    .filter(({ isBillable }) => isBillable)
    .reverse()
    .map(({ scopes }) => scopes.map((scope) => offerOf(scope, meterId, currency)));
  for (const offers of latestFirst) {
    const priced = offers.filter(({ stop, price }) => stop === 'soft' && price.ok).sort(byPreference);
    const [best] = priced;
    if (best !== undefined) return termsOf(best);
  }
  const all = latestFirst.flat();
  const hard = all.find(({ stop }) => stop === 'hard');
  if (hard !== undefined) return { stop: 'hard', price: null, soldUnder: hard.scope.soldUnder, cap: null };
  // Say what is missing where there is a price: in this currency, or of a kind that can be rated.
  const unpriced = all.find(({ price }) => price !== NO_PRICE) ?? all[0];
  return unpriced === undefined
    ? { stop: 'soft', price: NO_PRICE, soldUnder: null, cap: null }
    : termsOf(unpriced);
}

function termsOf({ stop, price, scope }: Offer): OverageTerms {
  return { stop, price, soldUnder: scope.soldUnder, cap: price.ok ? capOf(scope, price.currency) : null };
}

/** A cap that the catalog has in no other currency caps nothing there: amounts are never converted. */
function capOf({ sold, stopsWith }: Scope, currency: string): SpendCap | null {
  const cap = sold.stopPolicy?.spendCap;
  const found = cap && [cap, ...cap.otherCurrencies].find((one) => one.currency === currency);
  if (found === undefined) return null;
  return { productId: stopsWith, amountMinor: found.amountMinor, currency, isAssumed: found.assumed };
}

function offerOf(scope: Scope, meterId: string, currency: string): Offer {
  const price = entryOf(scope.sold.overage, meterId);
  return {
    scope,
    stop: scope.sold.stopPolicy?.default ?? 'soft',
    price: price === undefined ? NO_PRICE : priceIn(price, currency),
  };
}

function byPreference(a: Offer, b: Offer): number {
  const kinds = KINDS.indexOf(a.scope.kind) - KINDS.indexOf(b.scope.kind);
  if (kinds !== 0 || !a.price.ok || !b.price.ok) return kinds;
  return comparePrices(a.price, b.price) || compareText(a.scope.id, b.scope.id);
}
