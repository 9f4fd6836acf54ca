import { z } from '@hono/zod-openapi';
import { openCursor, sealCursor } from '../cursor.js';
import { operation } from '../operation.js';
import { Cursor, Limit, NextCursor } from '../shapes.js';
import { CatalogVersionShape, versionShape } from './version-shape.js';

const LIST = 'catalog versions';
const Place = z.tuple([z.string().regex(/^\d{1,9}$/)]);

export const listCatalogVersions = operation({
  method: 'get',
  path: '/v1/catalog/versions',
  scope: 'metrics:read',
  tag: 'Catalog',
  summary: 'Published versions, newest first, with when each rules',
  query: z.strictObject({ limit: Limit(200, 50), cursor: Cursor.optional() }),
  answer: z.object({ versions: z.array(CatalogVersionShape), next_cursor: NextCursor }),
  problems: ['invalid_cursor'],

  async handle({ query }, { services }) {
    const [before] = query.cursor === undefined ? [] : openCursor(LIST, query.cursor, Place);
    // A company publishes a few dozen versions in its life: reading all of them is one small query.
    const all = (await services.catalogs.list()).reverse();
    const rest = before === undefined ? all : all.filter(({ version }) => version < BigInt(before));
    const page = rest.slice(0, query.limit);
    const last = page.at(-1);
    return {
      versions: page.map(versionShape),
      next_cursor:
        rest.length > page.length && last !== undefined ? sealCursor(LIST, [last.version.toString()]) : null,
    };
  },
});
