import { compareText } from '../core/compare.js';
import type { PublishedCatalog } from '../core/catalog/tables.js';
import type { Money } from '../core/money.js';
import { entryOf, type Scope } from './held-scopes.js';
import type { HeldPeriod } from './held-periods.js';
import { comparePrices, priceIn, type PriceFound } from './overage-price.js';

export type StopPolicy = 'hard' | 'soft';

/** What an org picked for a meter among the stop policies that it is offered. */
export interface StopChoice {
  /** Null: nothing, so what the catalog says. */
  readonly stop: StopPolicy | null;
  /** Of this meter by itself. */
  readonly meterCap: Money | null;
  /** Of all meters of the subscription together, also those with a choice of their own. */
  readonly wholeCap: Money | null;
}

export const NOTHING_CHOSEN: StopChoice = { stop: null, meterCap: null, wholeCap: null };

/** What a soft stop bills at most in a subscription period, in whatever it is sold with. */
export interface SpendCap extends Money {
  /** Whose it is: the product whose stop policy says so (no two share an id), or `OWN_CAP` and the meter of an org’s own choice. */
  readonly capId: string;
  readonly isAssumed: boolean;
  /** What counts against it: a meter by itself, the meters that a product’s stop policy rules, or all of the subscription. */
  readonly covers: 'meter' | 'product' | 'subscription';
}

/** What usage over the allowances of a metered period comes to. */
export interface OverageTerms {
  readonly stop: StopPolicy;
  /** All hold at once: net-caps.ts. None: nothing caps it, or a hard stop. */
  readonly spendCaps: readonly SpendCap[];
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
  readonly spendCaps: readonly SpendCap[];
  readonly price: PriceFound;
}

const KINDS: readonly Scope['kind'][] = ['plan', 'bundle', 'package', 'addon'];
const NO_PRICE: PriceFound = { ok: false, reason: 'the catalog has no overage price for this meter here' };

/**
 * One price for all that is over, since allowances are shared. Of what was held and billed, the last to be held decides:
 * first what lets work go on and has a price in the subscription's currency, a plan before a bundle, a package and an
 * add-on, and of several the cheapest; else a hard stop. The order in which an event lists its items changes nothing.
 *
 * @param choices what the org chose, each that is to count: the most permissive decides, where it is offered
 */
export function overageTerms(
  { holdings, meterId, currency }: HeldPeriod,
  choices: readonly StopChoice[],
): OverageTerms {
  const latestFirst = holdings
    .filter(({ isBillable }) => isBillable)
    .reverse()
    .map(({ scopes }) => scopes.map((scope) => offerOf(scope, meterId, currency, choices)));
  for (const offers of latestFirst) {
    const priced = offers.filter(({ stop, price }) => stop === 'soft' && price.ok).sort(byPreference);
    const [best] = priced;
    if (best !== undefined) return termsOf(best);
  }
  const all = latestFirst.flat();
  const hard = all.find(({ stop }) => stop === 'hard');
  if (hard !== undefined)
    return { stop: 'hard', spendCaps: [], price: null, soldUnder: hard.scope.soldUnder };
  // Say what is missing where there is a price: in this currency, or of a kind that can be rated.
  const unpriced = all.find(({ price }) => price !== NO_PRICE) ?? all[0];
  return unpriced === undefined
    ? { stop: 'soft', spendCaps: [], price: NO_PRICE, soldUnder: null }
    : termsOf(unpriced);
}

function termsOf({ stop, spendCaps, price, scope }: Offer): OverageTerms {
  return { stop, spendCaps, price, soldUnder: scope.soldUnder };
}

function offerOf(scope: Scope, meterId: string, currency: string, choices: readonly StopChoice[]): Offer {
  const price = entryOf(scope.sold.overage, meterId);
  // Under a hard stop nothing is billed, whatever else was in force: it caps no usage that was let through.
  const soft = choices.filter(({ stop }) => stopIn(scope, stop) === 'soft');
  const own = { ...{ currency, isAssumed: false }, capId: OWN_CAP };
  const caps: readonly (SpendCap | null)[] = [
    highest(
      soft.map(({ meterCap }) => meterCap),
      { ...own, capId: `${OWN_CAP} ${meterId}`, covers: 'meter' },
    ),
    catalogCap(scope, currency),
    highest(
      soft.map(({ wholeCap }) => wholeCap),
      { ...own, covers: 'subscription' },
    ),
  ];
  return {
    scope,
    stop: soft.length === 0 ? 'hard' : 'soft',
    spendCaps: soft.length === 0 ? [] : caps.filter((cap) => cap !== null),
    price: price === undefined ? NO_PRICE : priceIn(price, currency),
  };
}

function stopIn(scope: Scope, chosen: StopPolicy | null): StopPolicy {
  const isOffered = chosen !== null && stopChoicesOf(scope).includes(chosen);
  return isOffered ? chosen : (scope.sold.stopPolicy?.default ?? 'soft');
}

/** None where one of the choices caps nothing here: amounts are never converted. */
function highest(caps: readonly (Money | null)[], cap: Omit<SpendCap, 'amountMinor'>): SpendCap | null {
  let amountMinor: bigint | null = null;
  for (const one of caps) {
    if (one?.currency !== cap.currency) return null;
    if (amountMinor === null || one.amountMinor > amountMinor) amountMinor = one.amountMinor;
  }
  return amountMinor === null ? null : { ...cap, amountMinor };
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
    covers: 'product',
    isAssumed: found.assumed,
  };
}

function byPreference(a: Offer, b: Offer): number {
  const kinds = KINDS.indexOf(a.scope.kind) - KINDS.indexOf(b.scope.kind);
  if (kinds !== 0 || !a.price.ok || !b.price.ok) return kinds;
  return comparePrices(a.price, b.price) || compareText(a.scope.id, b.scope.id);
}
