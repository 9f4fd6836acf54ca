import { allowedItems } from './allowed-items.js';
import { bundlePrice, packagesOfBundle } from './bundle-contents.js';
import { table, timestampCell, type PublishedCatalog } from './tables.js';
import type { Price } from './values.js';

const PRICE_COLUMNS = { price_minor: 'bigint', currency: 'text', interval: 'text' } as const;

/** `interval` is NULL for what is paid once. */
function priceCells({ amountMinor, currency, interval }: Price) {
  return { price_minor: amountMinor, currency, interval: interval === 'once' ? null : interval };
}

/** What is sold, at which price, and to whom. */
export const PRODUCT_TABLES = {
  catalog_packages: table(
    {
      package_id: 'text',
      name: 'text',
      layer: 'text',
      ...PRICE_COLUMNS,
      published_at: 'timestamp',
      first_value_event: 'text',
      target_seconds: 'bigint',
      is_lighthouse: 'boolean',
      is_assumed: 'boolean',
      is_target_assumed: 'boolean',
    },
    ({ packages }) =>
      Object.entries(packages).map(([packageId, item]) => ({
        package_id: packageId,
        name: item.name,
        layer: item.layer,
        ...priceCells(item.price),
        published_at: timestampCell(item.publishedAt),
        first_value_event: item.firstValue.event,
        target_seconds: BigInt(item.firstValue.within.seconds),
        is_lighthouse: item.lighthouse,
        is_assumed: item.price.assumed,
        is_target_assumed: item.firstValue.within.assumed || item.firstValue.assumed,
      })),
  ),

  catalog_bundles: table(
    {
      bundle_id: 'text',
      name: 'text',
      ...PRICE_COLUMNS,
      discount_ppm: 'bigint',
      is_assumed: 'boolean',
      is_discount_assumed: 'boolean',
    },
    (catalog) =>
      Object.entries(catalog.bundles).map(([bundleId, bundle]) => {
        const price = bundlePrice(catalog, bundle);
        return {
          bundle_id: bundleId,
          name: bundle.name,
          ...priceCells(price),
          discount_ppm: price.discountPpm,
          is_assumed: price.assumed,
          // Without one of its own it follows from the prices.
          is_discount_assumed: bundle.discount?.assumed ?? price.assumed,
        };
      }),
  ),

  catalog_bundle_packages: table({ bundle_id: 'text', package_id: 'text' }, (catalog) =>
    Object.entries(catalog.bundles).flatMap(([bundleId, bundle]) =>
      packagesOfBundle(catalog, bundle).map((packageId) => ({ bundle_id: bundleId, package_id: packageId })),
    ),
  ),

  catalog_plans: table(
    {
      plan_id: 'text',
      name: 'text',
      ...PRICE_COLUMNS,
      is_per_seat: 'boolean',
      is_free: 'boolean',
      annual_discount_ppm: 'bigint',
      is_assumed: 'boolean',
      is_annual_discount_assumed: 'boolean',
    },
    ({ plans }) =>
      Object.entries(plans).map(([planId, plan]) => ({
        plan_id: planId,
        name: plan.name,
        ...priceCells(plan.price),
        is_per_seat: plan.perSeat,
        is_free: plan.price.amountMinor === 0n,
        annual_discount_ppm: BigInt(plan.discounts.annual?.percent ?? 0),
        is_assumed: plan.price.assumed,
        is_annual_discount_assumed: plan.discounts.annual?.assumed ?? false,
      })),
  ),

  catalog_addons: table(
    {
      addon_id: 'text',
      name: 'text',
      kind: 'text',
      ...PRICE_COLUMNS,
      is_per_seat: 'boolean',
      is_assumed: 'boolean',
    },
    ({ addons }) =>
      Object.entries(addons).map(([addonId, addon]) => ({
        addon_id: addonId,
        name: addon.name,
        kind: addon.kind,
        ...priceCells(addon.price),
        is_per_seat: addon.perSeat,
        is_assumed: addon.price.assumed,
      })),
  ),

  /** Every price in every currency it is written in, the primary one included. */
  catalog_prices: table(
    { item_kind: 'text', item_id: 'text', ...PRICE_COLUMNS, is_assumed: 'boolean' },
    (_, published) => priceRows(published),
  ),

  catalog_adjacency: table({ from_package: 'text', to_package: 'text' }, ({ packages }) =>
    Object.entries(packages).flatMap(([from, { adjacentTo }]) =>
      adjacentTo.map((to) => ({ from_package: from, to_package: to })),
    ),
  ),

  catalog_allowed_items: table(
    { item_kind: 'text', item_id: 'text', plan_id: 'text', segment: 'text' },
    (catalog) => allowedItems(catalog),
  ),
};

function priceRows({ catalog }: PublishedCatalog) {
  const priced: [string, string, Price][] = [
    ...Object.entries(catalog.packages).map(([id, item]): [string, string, Price] => [
      'package',
      id,
      item.price,
    ]),
    ...Object.entries(catalog.bundles).map(([id, item]): [string, string, Price] => [
      'bundle',
      id,
      bundlePrice(catalog, item),
    ]),
    ...Object.entries(catalog.plans).map(([id, item]): [string, string, Price] => ['plan', id, item.price]),
    ...Object.entries(catalog.addons).map(([id, item]): [string, string, Price] => ['addon', id, item.price]),
  ];
  return priced.flatMap(([kind, id, price]) =>
    [price, ...price.otherCurrencies.map((other) => ({ ...price, ...other }))].map((each) => ({
      item_kind: kind,
      item_id: id,
      ...priceCells(each),
      is_assumed: each.assumed,
    })),
  );
}
