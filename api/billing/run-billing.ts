import { z } from '@hono/zod-openapi';
import type { BillPlan } from '../../billing/overage-run/bill-plan.js';
import { actorOf } from '../actor.js';
import { operation } from '../operation.js';
import { Digits, ForeignId, InstantAnswer, MonthArgument } from '../shapes.js';
import { billMonth } from './bill-month.js';
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
    bills: z
      .array(
        Amount.extend({
          bill_id: z.string(),
          credits_invoice_id: z
            .string()
            .nullable()
            .openapi({ description: 'Of a credit note: the invoice that it takes something off.' }),
          lines: z.int(),
          approval_reason: z.string().nullable(),
        }),
      )
      .openapi({
        description:
          'Entered by this run, or, of a dry run, that would be. One with an `approval_reason` waits until somebody approves it.',
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
    const { report, run, month, mode } = await billMonth(context.services, {
      ...{ month: body.month, orgId: body.org, isDryRun: body.dry_run },
      actor: actorOf(context),
    });
    return {
      ...{ mode, month: month.slice(0, 7), run_id: run.runId, as_of: run.asOf, is_dry_run: body.dry_run },
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
    bills: bills.map(({ billId, orgId, currency, totalMinor, lines, credits, approvalReason }) => ({
      bill_id: billId,
      credits_invoice_id: credits?.invoiceId ?? null,
      org_id: orgId,
      currency,
      amount_minor: totalMinor,
      lines: lines.length,
      approval_reason: approvalReason,
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
