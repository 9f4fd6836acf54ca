import { z } from '@hono/zod-openapi';
import { previewOverage } from '../../billing/preview-overage.js';
import { rulingCatalog } from '../catalog/ruling-catalog.js';
import { operation } from '../operation.js';
import {
  Cursor,
  Digits,
  ForeignId,
  InstantAnswer,
  InstantArgument,
  Limit,
  MonthArgument,
  NextCursor,
} from '../shapes.js';
import { billingMonth } from '../../billing/billing-month.js';
import { billsGuesses, purseOf } from './credit-purse.js';
import { openLinePlace, pageOfLines } from './line-page.js';
import { OverageLineShape, overageLineShape } from './overage-line-shape.js';

export const previewBilling = operation({
  method: 'get',
  path: '/v1/billing/preview',
  scope: 'billing:read',
  tag: 'Billing',
  summary: 'A preview of the overage that would be billed for the subscription periods that ended in a month',
  description:
    'Nothing is written. Periods that are over by `as_of` count, each line by the catalog version that its product was sold under. Lines are what is over its allowance, and what changes what that comes to (prepaid credits, caps, discounts, minimum commitments); `totals` are the money due over all lines, whatever the page. The month is that ' +
    "of the catalog's zone.",
  query: z.strictObject({
    month: MonthArgument.optional().openapi({ description: 'Default: the last that was over.' }),
    org: ForeignId.optional(),
    as_of: InstantArgument.optional(),
    limit: Limit(1_000, 200),
    cursor: Cursor.optional(),
  }),
  answer: z.object({
    is_preview: z.literal(true),
    run_id: z.string(),
    as_of: InstantAnswer,
    catalog_version: z.int(),
    month: z.string(),
    lines: z.array(OverageLineShape),
    totals: z.array(z.object({ currency: z.string(), amount_minor: Digits })),
    next_cursor: NextCursor,
  }),
  problems: ['no_catalog', 'invalid_cursor', 'no_run', 'no_run_as_of', 'run_not_found'],

  async handle({ query }, { services }) {
    const name = JSON.stringify(['preview', query.month, query.org, query.as_of?.toString()]);
    const { runId, after } = openLinePlace(name, query.cursor);
    const run = await services.runs.choose(runId === undefined ? { asOf: query.as_of } : { runId });
    const { version, catalog } = await rulingCatalog(services.catalogs, run.asOf);
    const { first, ending } = billingMonth(query.month, run.asOf, catalog.zone);
    const catalogs = await services.catalogs.published();
    const choicesIn = await services.quota.choices();
    const plan = await services.runs.read(run, ({ reader }) =>
      previewOverage(reader, {
        ...{ catalogs, ending, asOf: run.asOf, orgId: query.org, choicesIn },
        purse: purseOf(services, ending, query.org ?? null),
        billsGuesses: billsGuesses(services),
      }),
    );
    const { page, nextCursor } = pageOfLines(plan.lines, after, {
      name,
      runId: run.runId,
      limit: query.limit,
    });
    return {
      is_preview: true as const,
      run_id: run.runId,
      as_of: run.asOf,
      catalog_version: Number(version),
      month: first.slice(0, 7),
      lines: page.map(overageLineShape),
      totals: plan.totals.map(({ currency, amountMinor }) => ({ currency, amount_minor: amountMinor })),
      next_cursor: nextCursor,
    };
  },
});
