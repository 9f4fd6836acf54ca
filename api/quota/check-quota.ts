import { z } from '@hono/zod-openapi';
import { DECISIONS, REASONS } from '../../billing/quota/decide.js';
import { checkQuota as check, type QuotaAnswer } from '../../billing/quota/quota-desk.js';
import { InputError } from '../../core/errors.js';
import { decimalOf, formatDecimal, isQuantity, parseDecimal, tryParseDecimal } from '../../core/decimal.js';
import { MICROS_PER_SECOND } from '../../core/time.js';
import { operation } from '../operation.js';
import { Digits, ForeignId, InstantAnswer } from '../shapes.js';

/** Ample for a job; a list without end would be somebody's mistake. */
const METERS_AT_ONCE = 20;

const QuantityArgument = z
  .union([z.int().positive(), z.string().max(40)])
  .transform(String)
  .refine(isAskedQuantity, 'write a quantity above 0, of at most 18 digits and 12 decimals, like 1 or "0.5"')
  .transform(parseDecimal)
  .openapi({ type: 'string', example: '1' });

const Asked = z.strictObject({
  meter: z.string().min(1).max(64),
  package: ForeignId.optional().openapi({ description: 'Whose usage it will be.' }),
  quantity: QuantityArgument.optional().openapi({ description: '1 where it is left out.' }),
});

const Answered = z
  .object({
    meter: z.string(),
    package: z.string().nullable(),
    quantity: z.string(),
    decision: z.enum(DECISIONS),
    reason: z.enum(REASONS),
    subscription_id: z.string().nullable(),
    used: z.string().nullable(),
    included: z.string().nullable().openapi({ description: 'null: without limit, or not known' }),
    left: z.string().nullable().openapi({ description: 'null: without limit, or not known' }),
    overage: z.string().nullable(),
    overage_amount_minor: Digits.nullable().openapi({ description: 'What the overage comes to so far.' }),
    amount_after_minor: Digits.nullable().openapi({
      description: 'What it would come to with this quantity.',
    }),
    currency: z.string().nullable(),
    stop_policy: z.enum(['hard', 'soft']).nullable(),
    spend_cap_minor: Digits.nullable().openapi({
      description:
        'The lowest of the caps that it counts against: the meter’s, its product’s, the subscription’s.',
    }),
    resets_at: InstantAnswer.nullable(),
  })
  .openapi('QuotaDecision');

const Answer = Answered.extend({
  org: z.string(),
  delinquency: z.enum(['none', 'past_due', 'paused']),
  run_id: z.string().nullable(),
  as_of: InstantAnswer.nullable().openapi({
    description: 'Everything that had come in by then is counted; null: usage is not known',
  }),
  behind_seconds: z.number().nullable(),
  checks: z.array(Answered).optional().openapi({
    description: 'Where several meters were asked about: each. The decision is the strictest of them.',
  }),
}).openapi('QuotaAnswer');

export const checkQuota = operation({
  method: 'post',
  path: '/v1/quota/check',
  scope: 'quota',
  tag: 'Quotas',
  summary: 'Whether an org may use a quantity of a meter now, by its allowances and its stop policy',
  description:
    'Answered from memory. Usage between runs counts within seconds; `as_of` says up to when. Nothing is reserved: a decision is about this moment. ' +
    'Where usage can’t be known, the meter’s `whenUnknown` decides, and the reason is `usage_unknown`.',
  body: z.strictObject({
    org: ForeignId,
    ...Asked.partial().shape,
    meters: z.array(Asked).min(1).max(METERS_AT_ONCE).optional().openapi({
      description: 'Instead of `meter`: several at once, for work that needs all of them.',
    }),
  }),
  onRepeat: 'another go',
  answer: Answer,
  problems: ['org_not_found', 'not_found', 'no_catalog'],

  async handle({ body }, { services, now }) {
    const { org, meters, ...one } = body;
    const questions = meters ?? (one.meter === undefined ? [] : [{ ...one, meter: one.meter }]);
    if (questions.length === 0 || (meters !== undefined && one.meter !== undefined)) {
      throw new InputError('invalid_argument', 'body: name one `meter`, or several in `meters`');
    }
    const { answers, deciding, delinquency, counted } = await check(
      services.quota,
      org,
      questions.map(({ meter, package: packageId = '', quantity }) => ({
        meterId: meter,
        packageId,
        quantity: quantity ?? decimalOf(1n),
      })),
      now,
    );
    return {
      org,
      ...shapeOf(deciding),
      delinquency,
      run_id: counted?.runId ?? null,
      as_of: counted?.countedAt ?? null,
      behind_seconds: counted === null ? null : secondsSince(counted.countedAt, now),
      ...(meters === undefined ? {} : { checks: answers.map(shapeOf) }),
    };
  },
});

function isAskedQuantity(text: string): boolean {
  const quantity = tryParseDecimal(text);
  return quantity !== null && quantity.unscaled > 0n && isQuantity(quantity);
}

function secondsSince(at: bigint, now: bigint): number {
  return now <= at ? 0 : Number((now - at) / (MICROS_PER_SECOND / 1000n)) / 1000;
}

function shapeOf({ question, decision, reason, meter }: QuotaAnswer): z.input<typeof Answered> {
  return {
    meter: question.meterId,
    package: question.packageId === '' ? null : question.packageId,
    quantity: formatDecimal(question.quantity),
    decision,
    reason,
    subscription_id: meter?.subscriptionId ?? null,
    used: meter?.used ?? null,
    included: meter?.included ?? null,
    left: meter?.left ?? null,
    overage: meter?.overage ?? null,
    overage_amount_minor: meter?.overageAmount?.amountMinor ?? null,
    amount_after_minor: meter?.amountAfter?.amountMinor ?? null,
    currency: meter?.overageAmount?.currency ?? meter?.amountAfter?.currency ?? null,
    stop_policy: meter?.stop ?? null,
    spend_cap_minor: meter?.spendCap?.amountMinor ?? null,
    resets_at: meter?.resetsAt ?? null,
  };
}
