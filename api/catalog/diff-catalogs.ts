import { z } from '@hono/zod-openapi';
import { operation } from '../operation.js';
import { catalogChanges, CatalogChangeShape } from './change-shape.js';
import { publishedCatalog } from './published-catalog.js';
import { CatalogVersionShape, VersionArgument, versionShape } from './version-shape.js';

export const diffCatalogVersions = operation({
  method: 'get',
  path: '/v1/catalog/diff',
  scope: 'metrics:read',
  tag: 'Catalog',
  summary: 'What changed from one published version to another, and what that does to whom',
  query: z.strictObject({
    from: VersionArgument,
    to: VersionArgument.optional().openapi({ description: 'Default: the newest.' }),
  }),
  answer: z.object({
    from: CatalogVersionShape,
    to: CatalogVersionShape,
    changes: z.array(CatalogChangeShape),
  }),
  problems: ['no_catalog', 'catalog_not_found'],

  async handle({ query }, { services }) {
    const [from, to] = await Promise.all([
      publishedCatalog(services.catalogs, query.from),
      publishedCatalog(services.catalogs, query.to),
    ]);
    return {
      from: versionShape(from),
      to: versionShape(to),
      changes: await catalogChanges(from.file.catalog, to.file.catalog, services),
    };
  },
});
