import { z } from '@hono/zod-openapi';
import type { BillPlan } from '../../billing/overage-run/bill-plan.js';
import { planOverages, runOverages, type OverageReport } from '../../billing/overage-run/overage-run.js';
import { ratedLines } from '../../billing/preview-overage.js';
import { actorOf } from '../actor.js';
import { rulingCatalog } from '../catalog/ruling-catalog.js';
import { operation } from '../operation.js';
import { Digits, ForeignId, InstantAnswer, MonthArgument } from '../shapes.js';
import { billingMonth } from './billing-month.js';
import { STRIPE_PROBLEMS } from './stripe-problems.js';

const Amount = z.object({ org_id: z.string(), currency: z.string(), amount_minor: Digits });

export const runBilling = operation({
  method: 'post',
  path: '/v1/billing/runs',
  scope: 'billing:write',
  tag: 'Billing',
  summary: 'Bill the overages of the subscription periods that ended in a month',
  description:
    'Usage is read from the current run of the transforms. What was billed before is not billed again: only differences are, and bills that ' +
    'did not come to their end go on. It may be repeated, killed and run twice at once. With `dry_run` nothing is written anywhere.',
  body: z.strictObject({
    month: MonthArgument.optional().openapi({ description: 'Default: the last that was over.' }),
    org: ForeignId.optional(),
    dry_run: z.boolean().default(false),
  }),
  onRepeat: 'another go',
  answer: z.object({
    mode: z.enum(['live', 'test']),
    month: z.string(),
    run_id: z.string(),
    as_of: InstantAnswer,
    is_dry_run: z.boolean(),
    bills: z.array(Amount.extend({ bill_id: z.string(), lines: z.int() })).openapi({
      description: 'Entered by this run, or, of a dry run, that would be.',
    }),
    waiting: z.array(Amount).openapi({
      description:
        'By how much what waits for the next bill changes: under the minimum charge, or owed to the customer.',
    }),
    held_back: z.array(
      z.object({
        org_id: z.string(),
        amount_minor: Digits.nullable(),
        currency: z.string().nullable(),
        cause: z.string(),
        message: z.string(),
      }),
    ),
    outcomes: z.array(
      z.object({
        bill_id: z.string(),
        org_id: z.string(),
        outcome: z.enum(['finalized', 'blocked', 'refused', 'unfinished', 'elsewhere']),
        message: z.string().nullable(),
      }),
    ),
  }),
  problems: [
    ...([...STRIPE_PROBLEMS, 'needs_database_url'] as const),
    ...(['no_catalog', 'no_run', 'conflict', 'lease_lost', 'shutting_down'] as const),
  ],

  async handle({ body }, context) {
    const { services } = context;
    const desk = await services.billing();
    const run = await services.runs.choose({});
    const { catalog } = await rulingCatalog(services.catalogs, run.asOf);
    const { first, ending } = billingMonth(body.month, run.asOf, catalog.zone);
    const catalogs = await services.catalogs.published();
    const choiceAt = await services.quota.choices();
    const report = await services.runs.read(run, async ({ reader }): Promise<OverageReport> => {
      const rating = { catalogs, ending, asOf: run.asOf, orgId: body.org, choiceAt };
      const usage = { runId: run.runId, watermark: run.watermark, lines: () => ratedLines(reader, rating) };
      const request = { month: first, ending, orgId: body.org ?? null, actor: actorOf(context) };
      if (body.dry_run) return { plan: await planOverages(usage, request, desk.store), outcomes: [] };
      return runOverages(usage, request, desk);
    });
    return {
      mode: desk.store.account.mode,
      month: first.slice(0, 7),
      run_id: run.runId,
      as_of: run.asOf,
      is_dry_run: body.dry_run,
      ...planShape(report.plan),
      outcomes: report.outcomes.map(({ billId, orgId, outcome, message }) => ({
        bill_id: billId,
        org_id: orgId,
        outcome,
        message,
      })),
    };
  },
});

function planShape({ bills, movements, heldBack }: BillPlan) {
  return {
    bills: bills.map(({ billId, orgId, currency, totalMinor, lines }) => ({
      bill_id: billId,
      org_id: orgId,
      currency,
      amount_minor: totalMinor,
      lines: lines.length,
    })),
    waiting: movements.map(({ orgId, currency, amountMinor }) => ({
      org_id: orgId,
      currency,
      amount_minor: amountMinor,
    })),
    held_back: heldBack.map(({ orgId, money, cause, message }) => ({
      org_id: orgId,
      amount_minor: money?.amountMinor ?? null,
      currency: money?.currency ?? null,
      cause,
      message,
    })),
  };
}
