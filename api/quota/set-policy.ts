import { z } from '@hono/zod-openapi';
import { chooseStop } from '../../billing/quota/choose-stop.js';
import { parseMajor } from '../../core/money.js';
import { actorOf } from '../actor.js';
import { operation } from '../operation.js';
import { ForeignId } from '../shapes.js';
import { StopChoiceShape, stopChoiceShape } from './policy-shape.js';

export const setStopPolicy = operation({
  method: 'put',
  path: '/v1/quota/policies/{orgId}',
  scope: 'billing:write',
  tag: 'Quotas',
  summary:
    'What an org chose for when its limits are reached: to stop, or to go on and be billed, up to a cap',
  description:
    'For checks from now on; a period is billed by the most permissive choice that was in force in it. Only what the catalog offers for what ' +
    'the org holds can be chosen, and a cap never raises another one. Nothing is overwritten; each choice is on the record.',
  params: z.object({ orgId: ForeignId }),
  body: z.strictObject({
    stop: z
      .enum(['hard', 'soft', 'default'])
      .openapi({ description: '`default`: as the catalog says, again' }),
    meter: z.string().min(1).max(64).optional().openapi({ description: 'Only this one.' }),
    spend_cap: z
      .strictObject({ amount: z.string().max(30), currency: z.string().max(3) })
      .optional()
      .openapi({
        description:
          'What a soft stop bills at most in a subscription period, in the major unit: {"amount": "500.00", "currency": "USD"}.',
      }),
    reason: z.string().trim().min(1).max(500),
  }),
  answer: StopChoiceShape,
  problems: ['org_not_found', 'conflict', 'invalid_argument', 'no_run', 'no_catalog', 'unavailable'],

  async handle({ params, body }, context) {
    const { services, now } = context;
    const cap = body.spend_cap;
    const chosen = await chooseStop(
      { ...services, counters: services.quota.counters },
      {
        orgId: params.orgId,
        meterId: body.meter ?? null,
        stop: body.stop,
        spendCap: cap === undefined ? null : parseMajor(cap.amount, cap.currency),
        reason: body.reason,
        chosenBy: actorOf(context),
      },
      now,
    );
    return stopChoiceShape(chosen);
  },
});
