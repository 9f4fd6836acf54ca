import { z } from '@hono/zod-openapi';
import { InputError } from '../../core/errors.js';
import { formatProblem, MAX_CATALOG_BYTES, readCatalogText } from '../../platform/catalog-file.js';
import { actorOf } from '../actor.js';
import { operation } from '../operation.js';
import { catalogChanges, CatalogChangeShape } from './change-shape.js';
import { CatalogVersionShape, versionShape } from './version-shape.js';

const Problem = z.object({
  file: z.string(),
  line: z.int(),
  column: z.int(),
  path: z.string(),
  code: z.string(),
  message: z.string(),
});

export const postCatalog = operation({
  method: 'post',
  path: '/v1/catalog',
  scope: 'catalog:write',
  tag: 'Catalog',
  summary: 'Check a catalog, or publish it as the next version',
  description:
    '`check` changes nothing and answers with every problem, its line and its column. `publish` refuses a catalog with problems; a published ' +
    'version never changes, and one that says the same as the newest makes no new one. `changes` are those against the newest version.',
  body: z.strictObject({
    action: z.enum(['check', 'publish']),
    source: z.string().min(1).max(MAX_CATALOG_BYTES).openapi({ description: 'The YAML file as text.' }),
    file: z
      .string()
      .min(1)
      .max(200)
      .default('catalog.yaml')
      .openapi({ description: 'What problems call it.' }),
  }),
  // JSON writes a line break as two characters, and other text as up to six.
  bodyBytes: () => 3 * MAX_CATALOG_BYTES,
  answer: z.object({
    outcome: z.enum(['valid', 'invalid', 'published', 'unchanged']),
    problems: z.array(Problem),
    version: CatalogVersionShape.nullable(),
    changes: z.array(CatalogChangeShape),
  }),
  problems: ['catalog_invalid', 'catalog_version_immutable'],

  async handle({ body }, context) {
    const { services } = context;
    const reading = readCatalogText(body.source, body.file);
    const newest = await services.catalogs.show();
    if (!reading.ok) {
      if (body.action === 'check') {
        return { outcome: 'invalid' as const, problems: [...reading.problems], version: null, changes: [] };
      }
      throw new InputError('catalog_invalid', reading.problems.map(formatProblem).join('\n'), {
        status: 422,
        details: { problems: reading.problems },
      });
    }
    const changes =
      newest === null ? [] : await catalogChanges(newest.file.catalog, reading.file.catalog, services);
    if (body.action === 'check') {
      return { outcome: 'valid' as const, problems: [], version: newest && versionShape(newest), changes };
    }
    const { outcome, version } = await services.publishCatalog(reading.file, actorOf(context));
    return { outcome, problems: [], version: versionShape(version), changes };
  },
});
