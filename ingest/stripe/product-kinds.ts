import type { Catalog } from '../../core/catalog.js';
import type { ReadPrice } from '../../platform/outbound/stripe/read-price.js';

export const ITEM_KINDS = ['plan', 'addon', 'bundle', 'package'] as const;
export type ItemKind = (typeof ITEM_KINDS)[number];
export const LINE_KINDS = ['subscription', 'overage', 'services', 'addon', 'licence', 'marketplace'] as const;
export type LineKind = (typeof LINE_KINDS)[number];

/** Where a product is in the catalog; null where it is not in it. */
export type KindOfProduct = (productId: string) => ItemKind | null;

export function kindsOf(catalog: Catalog | null): KindOfProduct {
  if (catalog === null) return () => null;
  const { plans, addons, bundles, packages } = catalog;
  const sections = [
    ['plan', plans],
    ['addon', addons],
    ['bundle', bundles],
    ['package', packages],
  ] as const;
  return (productId) => sections.find(([, section]) => Object.hasOwn(section, productId))?.[0] ?? null;
}

/** By what Stripe's metadata says, else by the catalog; what neither knows is a plan. */
export function itemKind(price: ReadPrice, kindOf: KindOfProduct): ItemKind {
  return ITEM_KINDS.find((kind) => kind === price.kind) ?? kindOf(price.productId) ?? 'plan';
}
