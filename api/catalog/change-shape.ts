import { z } from '@hono/zod-openapi';
import type { Catalog } from '../../core/catalog.js';
import { diffCatalogs, type CatalogChange } from '../../core/catalog-diff.js';
import { RefusedError } from '../../core/errors.js';
import type { Services } from '../services.js';

/** One difference between two versions, and what it does to whom. */
export const CatalogChangeShape = z
  .object({
    kind: z.enum(['added', 'removed', 'changed']),
    section: z.string(),
    id: z.string(),
    field: z.string(),
    before: z.string().nullable(),
    after: z.string().nullable(),
    effect: z.string(),
    meaning: z.string(),
    holders: z.int().nullable(),
  })
  .openapi('CatalogChange');

const HolderRow = z.object({ product_id: z.string(), orgs: z.bigint() });

/** What changes from one catalog to another; with how many orgs hold a product now, where a run can say so. */
export async function catalogChanges(
  before: Catalog,
  after: Catalog,
  services: Services,
): Promise<CatalogChange[]> {
  return diffCatalogs(before, after, await holdersOf(services));
}

async function holdersOf({ runs }: Services): Promise<Map<string, number>> {
  try {
    const rows = await runs.withRun({}, ({ reader }) =>
      reader.query(
        `select product_id, count(distinct org_id) as orgs from ${reader.relation}.int_mrr_items
         where valid_to is null group by product_id`,
        {},
        HolderRow,
      ),
    );
    return new Map(rows.map(({ product_id: id, orgs }) => [id, Number(orgs)]));
  } catch (error) {
    // Before the first run nobody is known to hold anything, and the change is worth showing all the same.
    if (error instanceof RefusedError && error.code === 'no_run') return new Map();
    throw error;
  }
}
