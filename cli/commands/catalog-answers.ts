import { z } from 'zod';

export const CatalogVersion = z.looseObject({
  version: z.number(),
  catalog: z.string(),
  published_at: z.string(),
  published_by: z.string(),
  effective_from: z.string().nullable(),
  effective_to: z.string().nullable(),
});
export type CatalogVersion = z.infer<typeof CatalogVersion>;

export const Change = z.object({
  kind: z.string(),
  section: z.string(),
  id: z.string(),
  field: z.string(),
  before: z.string().nullable(),
  after: z.string().nullable(),
  effect: z.string(),
  meaning: z.string(),
  holders: z.number().nullable(),
});
export type Change = Readonly<z.infer<typeof Change>>;
