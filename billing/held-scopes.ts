import type { Catalog } from '../core/catalog.js';
import { packagesOfBundle } from '../core/catalog/bundle-contents.js';
import type { Sold } from '../core/catalog/products.js';
import type { PublishedCatalog } from '../core/catalog/tables.js';
import type { Price } from '../core/catalog/values.js';
import { parseDecimal, type Decimal } from '../core/decimal.js';
import type { Instant } from '../core/time.js';
import type { CatalogAt } from './catalog-versions.js';
import type { HeldItem } from './subscription-timeline.js';

/** What a subscription has by one of its items: allowances, prices and a stop policy, as they were when it was sold. */
export interface Scope {
  readonly kind: HeldItem['kind'];
  readonly id: string;
  readonly quantity: Decimal;
  readonly sold: Sold;
  /** Whose usage belongs here: the package itself, or what is in the bundle. */
  readonly packages: readonly string[];
  readonly soldUnder: PublishedCatalog;
  /** Whose stop policy it has: its own, or that of the bundle that it is in. */
  readonly stopsWith: string;
}

interface Found {
  readonly sold: Sold;
  readonly interval: Price['interval'] | undefined;
  readonly soldUnder: PublishedCatalog;
}

/** Ids come from events, so a product may be called `constructor`. */
export function entryOf<Value>(record: Readonly<Record<string, Value>>, id: string): Value | undefined {
  return Object.hasOwn(record, id) ? record[id] : undefined;
}

function productOf(catalog: Catalog, kind: HeldItem['kind'], id: string) {
  const shelf: Readonly<Record<string, Sold & { readonly price?: Price | undefined }>> = {
    plan: catalog.plans,
    addon: catalog.addons,
    bundle: catalog.bundles,
    package: catalog.packages,
  }[kind];
  return entryOf(shelf, id);
}

/**
 * The product of an item, by the version it was sold under. One that no catalog knew then goes by the version in force
 * when the period began. Null: no catalog sells it, so nothing says what it includes.
 */
export function soldItem(
  { kind, productId, soldAt }: HeldItem,
  catalogAt: CatalogAt,
  periodStart: Instant,
): Found | null {
  for (const soldUnder of [catalogAt(soldAt), catalogAt(periodStart)]) {
    const sold = productOf(soldUnder.catalog, kind, productId);
    if (sold !== undefined) return { sold, interval: sold.price?.interval, soldUnder };
  }
  return null;
}

/** What one item brings: itself, and for a bundle the packages in it. */
export function scopesOf(item: HeldItem, catalogAt: CatalogAt, periodStart: Instant): Scope[] {
  const found = soldItem(item, catalogAt, periodStart);
  if (found === null) return [];
  const { sold, soldUnder } = found;
  const own = {
    ...{ kind: item.kind, id: item.productId, quantity: parseDecimal(item.quantity), sold, soldUnder },
    stopsWith: item.productId,
  };
  const bundle = item.kind === 'bundle' ? entryOf(soldUnder.catalog.bundles, item.productId) : undefined;
  if (bundle === undefined) return [{ ...own, packages: item.kind === 'package' ? [item.productId] : [] }];
  const packages = packagesOfBundle(soldUnder.catalog, bundle);
  return [
    { ...own, packages },
    ...packages.flatMap((id): Scope[] => {
      const inside = entryOf(soldUnder.catalog.packages, id);
      if (inside === undefined) return [];
      // The bundle is what was sold: where it says how limits stop, its packages' own policies don't.
      const bought = sold.stopPolicy === undefined ? inside : { ...inside, stopPolicy: sold.stopPolicy };
      const stopsWith = sold.stopPolicy === undefined ? id : own.id;
      return [{ ...own, kind: 'package', id, sold: bought, packages: [id], stopsWith }];
    }),
  ];
}

/** Whether a scope says anything about a meter: that something is included, or what more costs. */
export function isMetering({ sold }: Scope, meterId: string): boolean {
  return entryOf(sold.allowances, meterId) !== undefined || entryOf(sold.overage, meterId) !== undefined;
}
