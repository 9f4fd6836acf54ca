import { z } from '@hono/zod-openapi';
import type { CatalogVersion } from '../../platform/catalog-store.js';
import { InstantAnswer } from '../shapes.js';

/** A published version, without its content. */
export const CatalogVersionShape = z
  .object({
    version: z.int(),
    catalog: z.string(),
    digest: z.string(),
    published_at: InstantAnswer,
    published_by: z.string(),
    effective_from: InstantAnswer.nullable().openapi({ description: 'null: from the start' }),
    effective_to: InstantAnswer.nullable().openapi({ description: 'null: still in force' }),
  })
  .openapi('CatalogVersion');

export function versionShape(version: CatalogVersion): z.input<typeof CatalogVersionShape> {
  return {
    version: Number(version.version),
    catalog: version.catalogId,
    digest: version.digest,
    published_at: version.publishedAt,
    published_by: version.publishedBy,
    effective_from: version.effectiveFrom,
    effective_to: version.effectiveTo,
  };
}

/** A version's number, in a query. */
export const VersionArgument = z.coerce
  .number()
  .int()
  .min(1)
  .max(1_000_000)
  .transform(BigInt)
  .openapi({ type: 'integer', minimum: 1, maximum: 1_000_000 });
