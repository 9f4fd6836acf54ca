import { z } from '@hono/zod-openapi';
import { operation } from '../operation.js';
import { publishedCatalog } from './published-catalog.js';
import { CatalogVersionShape, VersionArgument, versionShape } from './version-shape.js';

export const getCatalog = operation({
  method: 'get',
  path: '/v1/catalog',
  scope: 'metrics:read',
  tag: 'Catalog',
  summary: 'The published catalog, as it was written and as it was read',
  query: z.strictObject({ version: VersionArgument.optional() }),
  answer: z.object({
    version: CatalogVersionShape,
    source: z.string().openapi({ description: 'The YAML file as published, byte for byte.' }),
    document: z.unknown(),
  }),
  problems: ['no_catalog', 'catalog_not_found'],

  async handle({ query }, { services }) {
    const published = await publishedCatalog(services.catalogs, query.version);
    return {
      version: versionShape(published),
      source: published.file.text,
      document: published.file.document,
    };
  },
});
