import type { Catalog } from '../catalog.js';

/** What SQL says of orgs without a plan or with several, and of orgs without a segment. */
const PLANS_BESIDE_THE_CATALOGS = ['none', 'mixed'];
const SEGMENTS_BESIDE_THE_CATALOGS = ['none'];

export interface AllowedItem {
  readonly item_kind: 'package' | 'addon' | 'bundle';
  readonly item_id: string;
  readonly plan_id: string;
  readonly segment: string;
}

interface Audience {
  readonly plans?: readonly string[] | undefined;
  readonly segments?: readonly string[] | undefined;
}

/**
 * Who may have what, written out: the denominator of attach. An item that names plans is for orgs on one of them
 * alone; an item that names none is also for orgs without a plan or with several. Segments likewise.
 */
export function allowedItems(catalog: Catalog): AllowedItem[] {
  return [
    ...itemsOf(catalog, 'package', catalog.packages, 'packages'),
    ...itemsOf(catalog, 'addon', catalog.addons, 'addons'),
    ...itemsOf(catalog, 'bundle', catalog.bundles, 'bundles'),
  ];
}

function itemsOf(
  catalog: Catalog,
  kind: AllowedItem['item_kind'],
  items: Readonly<Record<string, Audience>>,
  section: 'packages' | 'addons' | 'bundles',
): AllowedItem[] {
  return Object.entries(items).flatMap(([itemId, audience]) => {
    const plans = audience.plans ?? [...Object.keys(catalog.plans), ...PLANS_BESIDE_THE_CATALOGS];
    const segments = audience.segments ?? [...Object.keys(catalog.segments), ...SEGMENTS_BESIDE_THE_CATALOGS];
    return plans
      .filter((planId) => catalog.plans[planId]?.only[section]?.includes(itemId) ?? true)
      .flatMap((planId) =>
        segments.map((segment) => ({ item_kind: kind, item_id: itemId, plan_id: planId, segment })),
      );
  });
}
