import { z } from '@hono/zod-openapi';
import type { OrderColumn } from '../keyset.js';
import { martPage } from '../mart-page.js';
import { operation } from '../operation.js';
import { revealFor, withoutToken } from '../personal-values.js';
import { Cursor, ForeignId, InstantAnswer, InstantArgument, Limit, NextCursor } from '../shapes.js';
import { Lead, LEAD_COLUMNS } from './lead-shape.js';

const byScore: OrderColumn = { column: 'score', type: 'bigint', direction: 'desc' };
const byCreation: OrderColumn = { column: 'created_at', type: 'timestamp', direction: 'desc' };
const byLead: OrderColumn = { column: 'lead_id', type: 'text', direction: 'asc' };

/** A minus is descending, as in most APIs. */
const ORDERS = {
  '-score': [byScore, byLead],
  score: [{ ...byScore, direction: 'asc' }, byLead],
  '-created_at': [byCreation, byLead],
  created_at: [{ ...byCreation, direction: 'asc' }, byLead],
} as const satisfies Record<string, readonly OrderColumn[]>;

export const listLeads = operation({
  method: 'get',
  path: '/v1/leads',
  scope: 'leads:read',
  tag: 'Leads',
  summary: 'Leads with their score, best first',
  query: z.strictObject({
    grade: z
      .string()
      .regex(/^[A-D][1-4]?$/, 'write a grade as A or A1')
      .optional()
      .openapi({ description: 'A letter (fit) alone, or with its digit (engagement).' }),
    min_score: z.coerce.number().int().min(-1_000_000).max(1_000_000).optional(),
    owner: ForeignId.optional(),
    sort: z.enum(['-score', 'score', '-created_at', 'created_at']).default('-score'),
    as_of: InstantArgument.optional(),
    limit: Limit(200, 50),
    cursor: Cursor.optional(),
  }),
  answer: z.object({
    run_id: z.string(),
    as_of: InstantAnswer,
    leads: z.array(Lead),
    next_cursor: NextCursor,
  }),
  problems: ['invalid_cursor', 'no_run', 'no_run_as_of', 'run_not_found'],

  async handle({ query }, context) {
    const order = ORDERS[query.sort];
    const page = await martPage(
      context.services,
      {
        mart: 'lead_scores',
        columns: LEAD_COLUMNS,
        filters: [
          { condition: "grade like $value || '%'", value: query.grade },
          { condition: 'score >= $value', value: query.min_score },
          { condition: 'owner_id = $value', value: query.owner },
        ],
        order,
        row: Lead,
        place: (lead) => [order[0].column === 'score' ? String(lead.score) : lead.created_at, lead.lead_id],
      },
      { asOf: query.as_of, cursor: query.cursor, limit: query.limit },
    );
    const reveal = await revealFor(
      context,
      page.rows.map(({ email }) => email),
    );
    return {
      run_id: page.run.runId,
      as_of: page.run.asOf,
      leads: page.rows.map((lead) => ({ ...lead, email: withoutToken(reveal(lead.email)) })),
      next_cursor: page.nextCursor,
    };
  },
});
