import { z } from '@hono/zod-openapi';
import type { ChosenStop } from '../../billing/quota/stop-choices.js';
import { Digits, InstantAnswer } from '../shapes.js';

/** What an org chose for when its limits are reached. */
export const StopChoiceShape = z
  .object({
    org_id: z.string(),
    meter: z
      .string()
      .nullable()
      .openapi({ description: 'null: all meters that have no choice of their own' }),
    stop: z.enum(['hard', 'soft', 'default']).openapi({ description: '`default`: as the catalog says' }),
    spend_cap_minor: Digits.nullable(),
    currency: z.string().nullable(),
    effective_at: InstantAnswer,
    chosen_by: z.string(),
    reason: z.string(),
  })
  .openapi('StopChoice');

export function stopChoiceShape(choice: ChosenStop): z.input<typeof StopChoiceShape> {
  return {
    org_id: choice.orgId,
    meter: choice.meterId,
    stop: choice.stop,
    spend_cap_minor: choice.spendCap?.amountMinor ?? null,
    currency: choice.spendCap?.currency ?? null,
    effective_at: choice.effectiveAt,
    chosen_by: choice.chosenBy,
    reason: choice.reason,
  };
}
