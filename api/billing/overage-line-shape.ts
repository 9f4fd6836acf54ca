import { z } from '@hono/zod-openapi';
import { ADJUSTMENT_KINDS } from '../../billing/adjustments/adjustment.js';
import type { OverageLine } from '../../billing/overage-plan.js';
import { Digits, InstantAnswer } from '../shapes.js';

/** What a line is: usage, or what changes what usage comes to. */
export const LINE_KIND = {
  kind: z.enum(['usage', ...ADJUSTMENT_KINDS]).openapi({
    description:
      '`usage` of a meter. `quantity_credit`: a prepaid quantity. `cap`: what a soft stop would bill above its spend cap. `coupon`: a discount. ' +
      '`commitment`: what is missing to the minimum. `credit`: prepaid money.',
  }),
  description: z.string().nullable().openapi({ description: 'In words; null for usage.' }),
  credit_id: z.string().nullable(),
};

/** Usage of one meter in one subscription period. Quantities are exact decimals in the meter's unit. */
export const OverageLineShape = z
  .object({
    line_id: z.string(),
    ...LINE_KIND,
    org_id: z.string(),
    subscription_id: z.string(),
    meter: z.string().openapi({ description: 'Empty where a line is not of one meter.' }),
    period_start: InstantAnswer,
    period_end: InstantAnswer,
    used: z.string(),
    included: z.string().nullable().openapi({ description: 'null: without limit' }),
    overage: z.string(),
    events: z.int(),
    event_digest: Digits.openapi({ description: 'Of these events, whatever their order.' }),
    status: z.enum(['due', 'within', 'stopped', 'unpriced', 'unrated']),
    reason: z.string().nullable(),
    amount_minor: Digits.nullable(),
    currency: z.string().nullable(),
    is_assumed: z.boolean().openapi({ description: 'The catalog assumes this price.' }),
    is_included_assumed: z
      .boolean()
      .openapi({ description: 'The catalog assumes some of what is included.' }),
    stop_policy: z.enum(['hard', 'soft']),
    catalog_version: z.int().nullable().openapi({ description: 'The version that it was sold under.' }),
  })
  .openapi('OverageLine');

export function overageLineShape(line: OverageLine): z.input<typeof OverageLineShape> {
  return {
    line_id: line.lineId,
    kind: line.adjustment?.kind ?? 'usage',
    description: line.adjustment?.words ?? null,
    credit_id: line.adjustment?.creditId ?? null,
    org_id: line.orgId,
    subscription_id: line.subscriptionId,
    meter: line.meterId,
    period_start: line.period.start,
    period_end: line.period.end,
    used: line.used,
    included: line.included,
    overage: line.overage,
    events: line.events,
    event_digest: line.eventDigest,
    status: line.status,
    reason: line.reason,
    amount_minor: line.amount?.amountMinor ?? null,
    currency: line.amount?.currency ?? null,
    is_assumed: line.isAssumed,
    is_included_assumed: line.isIncludedAssumed,
    stop_policy: line.stopPolicy,
    catalog_version: line.catalogVersion === null ? null : Number(line.catalogVersion),
  };
}
