import type { Catalog } from '../../../core/catalog.js';
import { goalFor, type Target } from '../../../core/catalog/market.js';
import { formatMoney } from '../../../core/money.js';
import { loadCatalogFile } from '../../../platform/catalog-file.js';
import { packagePath } from '../../../platform/package-path.js';

export async function planOf(name: string): Promise<Catalog> {
  return (await loadCatalogFile(packagePath('fixtures', 'catalogs', `${name}.yaml`))).catalog;
}

/** "$99.00 month", "$299.00 month or more", "$5,000.00 once"; " (assumed)" where the plan gives none. */
export function priceText(price: Catalog['plans'][string]['price'] | undefined): string {
  if (price === undefined) return 'no price';
  const amount = formatMoney({ amountMinor: price.amountMinor, currency: price.currency });
  return `${amount} ${price.interval}${price.orMore ? ' or more' : ''}${price.assumed ? ' (assumed)' : ''}`;
}

/** "free_users gte 10000": the goal in the unit of the metric. */
export function targetText(target: Target | undefined): string {
  if (target === undefined) return 'no target';
  const goal = String(goalFor(target.metric, target.goal));
  const member = target.member === undefined ? '' : ` ${target.member}`;
  return `${target.metric}${member} ${target.comparator} ${goal}${target.goal.assumed ? ' (assumed)' : ''}`;
}

/** Every value under a document that carries `assumed: false` though it is of a kind that could be. */
export function statedPaths(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = 'assumed' in value && value.assumed === false ? [path] : [];
  const inner = Object.entries(value).flatMap(([key, member]) =>
    statedPaths(member, path === '' ? key : `${path}.${key}`),
  );
  return [...own, ...inner];
}
