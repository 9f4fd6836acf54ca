import type { Catalog } from '../../core/catalog.js';
import { RefusedError } from '../../core/errors.js';
import type { Instant } from '../../core/time.js';
import type { CatalogStore } from '../../platform/catalog-store.js';

/**
 * The catalog that ruled at the last instant before `asOf`.
 *
 * @throws RefusedError `no_catalog` when none was published that rules then
 */
export async function rulingCatalog(
  catalogs: CatalogStore,
  asOf: Instant,
): Promise<{ version: bigint; catalog: Catalog }> {
  const ruling = await catalogs.inForce(asOf - 1n);
  if (ruling !== null) return { version: ruling.version, catalog: ruling.file.catalog };
  throw new RefusedError(
    'no_catalog',
    'no catalog is published, so nothing is sold; publish one with: headgate catalog publish <file>',
  );
}
