import { z } from 'zod';
import {
  Assumed,
  CurrencyCode,
  DecimalText,
  Id,
  MoneyAmount,
  Percent,
  Text,
  Texts,
  Zone,
  areRising,
} from './values.js';

export const PARTNER_KINDS = [
  'reseller',
  'integrator',
  'consultant',
  'affiliate',
  'influencer',
  'technology',
  'vendor',
] as const;
export const LINE_KINDS = ['subscription', 'overage', 'services', 'addon', 'licence', 'marketplace'] as const;
export const ONBOARDING_STEPS = [
  'applied',
  'accepted',
  'agreement_signed',
  'tax_complete',
  'certified',
] as const;

/** How long revenue of a customer that the partner won earns something. */
const Window = z
  .strictObject({
    kind: z.enum(['forever', 'first_payment', 'first_months']),
    months: z.int().min(1).max(120).optional(),
    anchor: z.enum(['signup', 'first_payment', 'contract_start']).optional(),
    assumed: Assumed,
  })
  .refine((window) => (window.kind === 'first_months') === (window.months !== undefined), {
    path: ['months'],
    error: 'months belong to first_months, and to it alone',
  })
  .refine((window) => window.kind !== 'first_months' || window.anchor !== undefined, {
    path: ['anchor'],
    error: 'first_months says what it counts from: signup, first_payment or contract_start',
  });

/** Of the rules that fit a line, the one with the LOWEST precedence decides; then the smaller id. */
const ruleFields = {
  version: z.int().positive().default(1),
  precedence: z.int().nonnegative().default(100),
  window: Window,
  product: Id.optional(),
  /** A deal with one partner: its id as events say it. */
  partner: z.string().min(1).max(200).optional(),
  tier: Id.optional(),
  /** None: all kinds of invoice line. */
  lineKinds: z.array(z.enum(LINE_KINDS)).default([]),
  assumed: Assumed,
  note: Text.optional(),
};

const Band = z.strictObject({ upTo: DecimalText.optional(), percent: Percent });

export const CommissionRule = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('percent'), percent: Percent, ...ruleFields }),
  z.strictObject({ kind: z.literal('flat'), flat: MoneyAmount, ...ruleFields }),
  z.strictObject({
    kind: z.literal('tiered'),
    /** What a new tier applies to: the part above it, everything so far (true-up), or the next period. */
    mode: z.enum(['marginal', 'retroactive', 'next_period']),
    currency: CurrencyCode,
    bands: z.array(Band).min(1).refine(areRising, 'bands must rise, and the last one alone has no upTo'),
    ...ruleFields,
  }),
  z.strictObject({ kind: z.literal('custom'), terms: Text, ...ruleFields }),
]);
export type CommissionRule = z.output<typeof CommissionRule>;

/** A rank inside a program; a partner enters it at this much sourced revenue in the period. */
const Tier = z.strictObject({
  name: Text,
  next: Id.optional(),
  from: MoneyAmount.optional(),
  period: z.enum(['quarter', 'year']).default('year'),
  benefits: Texts,
});

const Hold = z
  .strictObject({
    days: z.int().nonnegative().max(365).optional(),
    months: z.int().positive().max(24).optional(),
    assumed: Assumed,
  })
  .refine((hold) => (hold.days === undefined) !== (hold.months === undefined), 'give days or months');

export const Program = z.strictObject({
  name: Text,
  kinds: z.array(z.enum(PARTNER_KINDS)).min(1),
  /** Default: the catalog's. */
  zone: Zone.optional(),
  attribution: z.strictObject({
    touch: z.enum(['first', 'last']),
    windowDays: z.int().positive().max(3_650),
    methods: z
      .array(z.enum(['link', 'code', 'deal']))
      .min(1)
      .default(['link', 'code', 'deal']),
    assumed: Assumed,
  }),
  hold: Hold.default({ days: 30, assumed: false }),
  payout: z.strictObject({
    dayOfMonth: z.int().min(1).max(28).default(15),
    minimum: MoneyAmount.optional(),
    assumed: Assumed,
  }),
  /** What a payout needs first. */
  requires: z.array(z.enum(ONBOARDING_STEPS)).default([]),
  tiers: z.record(Id, Tier).default({}),
  rules: z.record(Id, CommissionRule).default({}),
  benefits: Texts,
});
export type Program = z.output<typeof Program>;
