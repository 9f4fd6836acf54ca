import { z } from '@hono/zod-openapi';
import { Count, InstantText } from '../shapes.js';

/** All columns of `lead_scores`, of which Lead takes those that the API shows: a run may be older than one of them. */
export const LEAD_COLUMNS = '*';

/** A lead with its score. `email` is the person's own, from the vault; null where it was erased or never known. */
export const Lead = z
  .object({
    lead_id: z.string(),
    org_id: z.string().nullable(),
    company_id: z.string().nullable(),
    lead_source: z.string().nullable(),
    channel: z.string().nullable(),
    lead_status: z.string().nullable(),
    owner_id: z.string().nullable(),
    created_at: InstantText,
    email: z.string().nullable(),
    fit_points: Count,
    engagement_points: Count,
    score: Count,
    grade: z.string(),
    band: z.string(),
    model_version: z.string(),
    scored_at: InstantText,
    is_assumed: z.boolean().nullable().default(null).openapi({
      description:
        'The plan gives no such points; the catalog assumes the scorecard. null: the run is older than this mark',
    }),
  })
  .openapi('Lead');
export type Lead = z.output<typeof Lead>;

export const LeadId = z.string().min(1).max(200);
