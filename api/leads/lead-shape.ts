import { z } from '@hono/zod-openapi';
import { Count, InstantText } from '../shapes.js';

/** Columns of `lead_scores` that the API shows. */
export const LEAD_COLUMNS =
  'lead_id, org_id, company_id, lead_source, channel, lead_status, owner_id, created_at, email, ' +
  'fit_points, engagement_points, score, grade, band, model_version, scored_at';

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
  })
  .openapi('Lead');
export type Lead = z.output<typeof Lead>;

export const LeadId = z.string().min(1).max(200);
