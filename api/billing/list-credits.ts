import { z } from '@hono/zod-openapi';
import { Purse, type Credit } from '../../billing/adjustments/credits.js';
import { loadCredits, purseByRating } from '../../billing/preview-overage.js';
import { compareText } from '../../core/compare.js';
import { formatDecimal } from '../../core/decimal.js';
import { openCursor, sealCursor } from '../cursor.js';
import { operation } from '../operation.js';
import { Cursor, ForeignId, InstantAnswer, Limit, NextCursor } from '../shapes.js';
import { ledgerOf } from './credit-purse.js';

const Place = z.tuple([z.string(), z.string(), z.string()]);

export const listCredits = operation({
  method: 'get',
  path: '/v1/credits',
  scope: 'billing:read',
  tag: 'Billing',
  summary: 'Prepaid credits of orgs: what was granted, used and is left',
  description:
    'Amounts are in the minor unit of `currency`, or quantities of `meter`. What is used is what the ledger of the Stripe account has; where no ' +
    'Stripe is set, what the periods that are over come to.',
  query: z.strictObject({
    org: ForeignId.optional(),
    limit: Limit(500, 100),
    cursor: Cursor.optional(),
  }),
  answer: z.object({
    run_id: z.string(),
    as_of: InstantAnswer,
    credits: z.array(
      z.object({
        org_id: z.string(),
        credit_id: z.string(),
        currency: z.string().nullable(),
        meter: z.string().nullable(),
        granted: z.string(),
        used: z.string(),
        left: z.string(),
        priority: z.int().nullable().openapi({ description: 'Lower is used first; null after all others.' }),
        granted_at: InstantAnswer,
        expires_at: InstantAnswer.nullable(),
        is_expired: z.boolean(),
      }),
    ),
    next_cursor: NextCursor,
  }),
  problems: ['no_catalog', 'invalid_cursor', 'no_run', 'run_not_found', 'stripe_key_refused', 'unavailable'],

  async handle({ query: { org, limit, cursor } }, { services }) {
    const name = JSON.stringify(['credits', org]);
    const [runId, ...place] = cursor === undefined ? [] : openCursor(name, cursor, Place);
    const run = await services.runs.choose(runId === undefined ? {} : { runId });
    const catalogs = await services.catalogs.published();
    const ledger = await ledgerOf(services);
    const spent = await ledger?.spentCredits(null, org ?? null);
    const [credits, purse] = await services.runs.read(run, async ({ reader }): Promise<[Credit[], Purse]> => {
      const all = await loadCredits(reader, org);
      const rating = { catalogs, asOf: run.asOf, orgId: org };
      return [all, spent === undefined ? await purseByRating(reader, rating) : new Purse(all, spent)];
    });
    const [afterOrg = '', afterCredit = ''] = place;
    const rest = credits
      .sort(inOrder)
      .filter((credit) => inOrder(credit, { orgId: afterOrg, creditId: afterCredit }) > 0);
    const page = rest.slice(0, limit);
    const last = page.at(-1);
    return {
      run_id: run.runId,
      as_of: run.asOf,
      credits: page.map((credit) => creditShape(credit, purse, run.asOf)),
      next_cursor:
        rest.length > page.length && last !== undefined
          ? sealCursor(name, [run.runId, last.orgId, last.creditId])
          : null,
    };
  },
});

function inOrder(a: Pick<Credit, 'orgId' | 'creditId'>, b: Pick<Credit, 'orgId' | 'creditId'>): number {
  return compareText(a.orgId, b.orgId) || compareText(a.creditId, b.creditId);
}

function creditShape(credit: Credit, purse: Purse, asOf: bigint) {
  const { orgId, creditId, unit, granted, priority, grantedAt, expiresAt } = credit;
  return {
    org_id: orgId,
    credit_id: creditId,
    currency: unit.kind === 'money' ? unit.currency : null,
    meter: unit.kind === 'quantity' ? unit.meterId : null,
    granted: formatDecimal(granted),
    used: formatDecimal(purse.spentOf(credit)),
    left: formatDecimal(purse.leftOf(credit)),
    priority,
    granted_at: grantedAt,
    expires_at: expiresAt,
    is_expired: expiresAt !== null && expiresAt <= asOf,
  };
}
