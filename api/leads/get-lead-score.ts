import { z } from '@hono/zod-openapi';
import { InputError, invariant } from '../../core/errors.js';
import { operation } from '../operation.js';
import { revealFor, withoutToken } from '../personal-values.js';
import { Count, InstantAnswer, InstantArgument } from '../shapes.js';
import { Lead, LEAD_COLUMNS, LeadId } from './lead-shape.js';

const Part = z.object({
  feature: z.string(),
  part: z.enum(['base', 'fit', 'engagement', 'limit']),
  value: z.string().nullable(),
  points: Count,
});

/** The base first, then what weighs most; the feature's name decides between equals. */
const PARTS_SQL = (relation: string) => `
  select feature, part, value, points from ${relation}.lead_score_parts
  where lead_id = $lead
  order by case part when 'base' then 0 when 'limit' then 2 else 1 end, abs(points) desc, feature`;

export const getLeadScore = operation({
  method: 'get',
  path: '/v1/leads/{leadId}/score',
  scope: 'leads:read',
  tag: 'Leads',
  summary: 'The score of a lead, with the parts that add up to it',
  params: z.object({ leadId: LeadId }),
  query: z.strictObject({ as_of: InstantArgument.optional() }),
  answer: z.object({ run_id: z.string(), as_of: InstantAnswer, lead: Lead, parts: z.array(Part) }),
  problems: ['lead_not_found', 'no_run', 'no_run_as_of'],

  async handle({ params, query }, context) {
    return context.services.runs.withRun({ asOf: query.as_of }, async ({ run, reader }) => {
      const lead = { lead: params.leadId };
      const [found, parts] = await Promise.all([
        reader.query(
          `select ${LEAD_COLUMNS} from ${reader.relation}.lead_scores where lead_id = $lead`,
          lead,
          Lead,
        ),
        reader.query(PARTS_SQL(reader.relation), lead, Part),
      ]);
      const [score] = found;
      if (score === undefined) {
        throw new InputError('lead_not_found', `there is no lead ${params.leadId} in this run`, {
          status: 404,
        });
      }
      const sum = parts.reduce((total, { points }) => total + points, 0);
      invariant(
        sum === score.score,
        `lead ${params.leadId}: its parts sum to ${sum}, its score is ${score.score}`,
      );
      const reveal = await revealFor(context, [score.email, ...parts.map(({ value }) => value)]);
      return {
        run_id: run.runId,
        as_of: run.asOf,
        lead: { ...score, email: withoutToken(reveal(score.email)) },
        parts: parts.map((part) => ({ ...part, value: reveal(part.value) })),
      };
    });
  },
});
