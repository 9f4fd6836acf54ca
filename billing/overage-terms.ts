import { compareText } from '../core/compare.js';
import type { PublishedCatalog } from '../core/catalog/tables.js';
import type { Money } from '../core/money.js';
import { entryOf, type Scope } from './held-scopes.js';
import type { HeldPeriod } from './held-periods.js';
import { comparePrices, priceIn, type PriceFound } from './overage-price.js';

export type StopPolicy = 'hard' | 'soft';

/** What an org picked among the stop policies that it is offered. */
export interface StopChoice {
  readonly stop: StopPolicy;
  /** Lowers what the catalog says; it can't raise it. */
  readonly spendCap: Money | null;
  /** The one meter that it is about; null: all. */
  readonly meterId: string | null;
}

/** What a soft stop bills at most in a subscription period, in whatever it is sold with. */
export interface SpendCap extends Money {
  /** Whose it is: the product whose stop policy says so (no two share an id), or `OWN_CAP` and the meter of an org’s own choice. */
  readonly capId: string;
  readonly isAssumed: boolean;
  /** What the amounts of count against it: all meters of the subscription together, or this one by itself. */
  readonly covers: 'subscription' | 'meter';
}

/** What usage over the allowances of a metered period comes to. */
export interface OverageTerms {
  readonly stop: StopPolicy;
  /** Null: none, or a hard stop. */
  readonly spendCap: SpendCap | null;
  /** Null: a hard stop, where nothing is billed. */
  readonly price: PriceFound | null;
  /** The version of the catalog that says so. */
  readonly soldUnder: PublishedCatalog | null;
}

/** What begins the id of a cap that an org chose itself; no product's id does. */
export const OWN_CAP = '(own)';

interface Offer {
  readonly scope: Scope;
  readonly stop: StopPolicy;
  readonly spendCap: SpendCap | null;
  readonly price: PriceFound;
}

const KINDS: readonly Scope['kind'][] = ['plan', 'bundle', 'package', 'addon'];
const NO_PRICE: PriceFound = { ok: false, reason: 'the catalog has no overage price for this meter here' };

/**
 * One price for all that is over, since allowances are shared. Of what was held and billed, the last to be held decides:
 * first what lets work go on and has a price in the subscription's currency, a plan before a bundle, a package and an
 * add-on, and of several the cheapest; else a hard stop. The order in which an event lists its items changes nothing.
 *
 * @param choice what the org chose, in force at the period's end; it holds where it is offered
 */
export function overageTerms(
  { holdings, meterId, currency }: HeldPeriod,
  choice: StopChoice | null = null,
): OverageTerms {
  const latestFirst = holdings
    .filter(({ isBillable }) => isBillable)
    .reverse()
    .map(({ scopes }) => scopes.map((scope) => offerOf(scope, meterId, currency, choice)));
  for (const offers of latestFirst) {
    const priced = offers.filter(({ stop, price }) => stop === 'soft' && price.ok).sort(byPreference);
    const [best] = priced;
    if (best !== undefined) return termsOf(best);
  }
  const all = latestFirst.flat();
  const hard = all.find(({ stop }) => stop === 'hard');
  if (hard !== undefined)
    return { stop: 'hard', spendCap: null, price: null, soldUnder: hard.scope.soldUnder };
  // Say what is missing where there is a price: in this currency, or of a kind that can be rated.
  const unpriced = all.find(({ price }) => price !== NO_PRICE) ?? all[0];
  return unpriced === undefined
    ? { stop: 'soft', spendCap: null, price: NO_PRICE, soldUnder: null }
    : termsOf(unpriced);
}

function termsOf({ stop, spendCap, price, scope }: Offer): OverageTerms {
  return { stop, spendCap, price, soldUnder: scope.soldUnder };
}

function offerOf(scope: Scope, meterId: string, currency: string, choice: StopChoice | null): Offer {
  const price = entryOf(scope.sold.overage, meterId);
  const isChosen = choice !== null && stopChoicesOf(scope).includes(choice.stop);
  const stop = isChosen ? choice.stop : (scope.sold.stopPolicy?.default ?? 'soft');
  return {
    scope,
    stop,
    spendCap:
      stop === 'hard' ? null : lowerCap(catalogCap(scope, currency), isChosen ? choice : null, currency),
    price: price === undefined ? NO_PRICE : priceIn(price, currency),
  };
}

/** What an org may choose of a thing that it holds; where the catalog says nothing, either. */
export function stopChoicesOf({ sold }: Scope): readonly StopPolicy[] {
  return sold.stopPolicy?.choices ?? ['hard', 'soft'];
}

/** A cap that the catalog has in no other currency caps nothing there: amounts are never converted. */
export function catalogCap({ sold, stopsWith }: Scope, currency: string): SpendCap | null {
  const cap = sold.stopPolicy?.spendCap;
  const found = cap && [cap, ...cap.otherCurrencies].find((one) => one.currency === currency);
  if (found === undefined) return null;
  return {
    amountMinor: found.amountMinor,
    currency,
    capId: stopsWith,
    covers: 'subscription',
    isAssumed: found.assumed,
  };
}

function lowerCap(catalog: SpendCap | null, choice: StopChoice | null, currency: string): SpendCap | null {
  const cap = choice?.spendCap;
  if (choice === null || cap?.currency !== currency) return catalog;
  if (catalog !== null && catalog.amountMinor <= cap.amountMinor) return catalog;
  return {
    amountMinor: cap.amountMinor,
    currency,
    capId: choice.meterId === null ? OWN_CAP : `${OWN_CAP} ${choice.meterId}`,
    isAssumed: false,
    covers: choice.meterId === null ? 'subscription' : 'meter',
  };
}

function byPreference(a: Offer, b: Offer): number {
  const kinds = KINDS.indexOf(a.scope.kind) - KINDS.indexOf(b.scope.kind);
  if (kinds !== 0 || !a.price.ok || !b.price.ok) return kinds;
  return comparePrices(a.price, b.price) || compareText(a.scope.id, b.scope.id);
}
