import type { Catalog } from '../core/catalog.js';
import type { PublishedCatalog } from '../core/catalog/tables.js';
import { RefusedError } from '../core/errors.js';
import { parseInstant, type Instant } from '../core/time.js';

/** The version in force at an instant; before the first one's begin, the first. */
export type CatalogAt = (at: Instant) => PublishedCatalog;

/**
 * Reads the published versions, oldest first, as `CatalogStore.published()` gives them.
 *
 * @throws RefusedError `no_catalog` when there are none
 */
export function catalogVersions(published: readonly PublishedCatalog[]): CatalogAt {
  const versions = published.map((version) => ({
    version,
    from: version.effectiveFrom === null ? null : parseInstant(version.effectiveFrom),
  }));
  const [first] = published;
  if (first === undefined) {
    throw new RefusedError(
      'no_catalog',
      'no catalog is published, so nothing is sold; publish one with: headgate catalog publish <file>',
    );
  }
  return (at) => versions.findLast(({ from }) => from === null || from <= at)?.version ?? first;
}

/** A catalog that has ruled from the start: for those who know only one. */
export function soleVersion(catalog: Catalog): PublishedCatalog[] {
  return [{ version: 1n, catalog, effectiveFrom: null, effectiveTo: null }];
}
