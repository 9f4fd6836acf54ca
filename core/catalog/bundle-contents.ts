import type { Catalog } from '../catalog.js';
import { divideRounded } from '../decimal.js';
import { invariant } from '../errors.js';
import type { Bundle } from './products.js';
import type { Price } from './values.js';

const ONE_MILLION = 1_000_000n;

/** The packages of a bundle and of the bundles inside it, each once, in the order they are written. */
export function packagesOfBundle(catalog: Catalog, bundle: Bundle): readonly string[] {
  const inner = bundle.bundles.flatMap((id) => {
    const other = catalog.bundles[id];
    return other === undefined ? [] : packagesOfBundle(catalog, other);
  });
  return [...new Set([...bundle.packages, ...inner])];
}

/** A bundle's price and discount, whichever of the two is written; the other follows from its packages' prices. */
export function bundlePrice(catalog: Catalog, bundle: Bundle): Price & { readonly discountPpm: bigint } {
  const prices = packagesOfBundle(catalog, bundle).flatMap((id) => catalog.packages[id]?.price ?? []);
  const apartMinor = prices.reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
  if (bundle.price !== undefined) {
    const { amountMinor } = bundle.price;
    const stated = bundle.discount === undefined ? undefined : BigInt(bundle.discount.percent);
    const saved = apartMinor > amountMinor ? apartMinor - amountMinor : 0n;
    const discountPpm = stated ?? (apartMinor === 0n ? 0n : divideRounded(saved * ONE_MILLION, apartMinor));
    return { ...bundle.price, discountPpm };
  }
  const [first] = prices;
  invariant(
    first !== undefined && bundle.discount !== undefined,
    'bundlePrice: the catalog must have been checked',
  );
  const discountPpm = BigInt(bundle.discount.percent);
  const less = (minor: bigint) => divideRounded(minor * (ONE_MILLION - discountPpm), ONE_MILLION);
  return {
    ...first,
    amountMinor: less(apartMinor),
    assumed: bundle.discount.assumed || prices.some(({ assumed }) => assumed),
    otherCurrencies: first.otherCurrencies.flatMap(({ currency }) => {
      const inCurrency = prices.flatMap((price) =>
        price.otherCurrencies.filter((other) => other.currency === currency),
      );
      if (inCurrency.length < prices.length) return [];
      const sum = inCurrency.reduce((total, { amountMinor }) => total + amountMinor, 0n);
      return [{ amountMinor: less(sum), currency, assumed: inCurrency.some(({ assumed }) => assumed) }];
    }),
    discountPpm,
  };
}
