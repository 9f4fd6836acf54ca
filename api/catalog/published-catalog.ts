import { InputError, RefusedError } from '../../core/errors.js';
import type { CatalogFile } from '../../platform/catalog-file.js';
import type { CatalogStore, CatalogVersion } from '../../platform/catalog-store.js';

/**
 * A published version with its content; the newest without a number.
 *
 * @throws RefusedError `no_catalog` before anything was published
 * @throws InputError `catalog_not_found` when there is no such version
 */
export async function publishedCatalog(
  catalogs: CatalogStore,
  version: bigint | undefined,
): Promise<CatalogVersion & { readonly file: CatalogFile }> {
  const found = await catalogs.show(version);
  if (found !== null) return found;
  if (version === undefined) {
    throw new RefusedError(
      'no_catalog',
      'no catalog is published yet; publish one with: headgate catalog publish <file>',
      { status: 404 },
    );
  }
  throw new InputError(
    'catalog_not_found',
    `there is no version ${version.toString()} of the catalog; GET /v1/catalog/versions lists them`,
    { status: 404 },
  );
}
