import { z } from 'zod';
import { Allowances, Limits, OveragePrices, OwnKey, StopPolicy, Trial } from './usage.js';
import {
  Assumed,
  Duration,
  Id,
  InstantText,
  MinimumCommitment,
  PercentValue,
  Price,
  Text,
  Texts,
} from './values.js';

/** What a customer may do, and which products grant it. */
export const Feature = z
  .strictObject({
    name: Text,
    /** `switch`: has it or not. `count`: how many. `level`: one of `levels`, lowest first. */
    kind: z.enum(['switch', 'count', 'level']).default('switch'),
    levels: z.array(Id).default([]),
  })
  .refine((feature) => feature.kind === 'level' || feature.levels.length === 0, {
    path: ['levels'],
    error: 'only a feature of kind "level" has levels',
  })
  .refine((feature) => feature.kind !== 'level' || feature.levels.length > 0, {
    path: ['kind'],
    error: 'a feature of kind "level" lists its levels',
  });
export type Feature = z.output<typeof Feature>;

/** `true` for a switch, a whole number or `unlimited` for a count, a level's id for a level. */
export const Entitlement = z.union([z.boolean(), z.int().nonnegative(), Text]);
export const Entitlements = z.record(Id, Entitlement).default({});

/** What everything sold has in common. */
const sold = {
  allowances: Allowances,
  overage: OveragePrices,
  limits: Limits.default({ rates: [] }),
  features: Entitlements,
  stopPolicy: StopPolicy.optional(),
  trial: Trial.optional(),
  ownKey: OwnKey.optional(),
};

export type Sold = z.output<z.ZodObject<typeof sold>>;

/** Who may have it: absent means everybody, orgs without a plan or a segment included. */
const audience = { plans: z.array(Id).min(1).optional(), segments: z.array(Id).min(1).optional() };

const Discounts = z
  .strictObject({
    annual: PercentValue.optional(),
    multiYear: z.array(PercentValue.extend({ years: z.int().min(2).max(10) })).default([]),
  })
  .default({ multiYear: [] });

/** The ship gate: a package without all of these is not generally available. */
const Maturity = z.strictObject({
  onboarding: z.boolean(),
  safeDefaults: z.boolean(),
  auditLogs: z.boolean(),
  uninstall: z.enum(['rollback', 'documented', 'missing']),
  successMetric: Text.optional(),
});

export const LAYERS = ['surface', 'workflow', 'system'] as const;

export const Package = z.strictObject({
  name: Text,
  layer: z.enum(LAYERS),
  job: Text,
  /** Where the user sees the value: a channel, a draft, an order page. */
  surface: Text,
  integrations: Texts,
  price: Price,
  firstValue: z.strictObject({ event: Id, description: Text, within: Duration, assumed: Assumed }),
  /** Packages to recommend next. Cycles are fine here: if each recommends one, a finite set must have one. */
  adjacentTo: z.array(Id).default([]),
  /** Packages that must be installed first. */
  requires: z.array(Id).default([]),
  lighthouse: z.boolean().default(false),
  publishedAt: InstantText.optional(),
  maturity: Maturity,
  ...audience,
  ...sold,
});
export type Package = z.output<typeof Package>;

export const Bundle = z
  .strictObject({
    name: Text,
    summary: Text,
    packages: z.array(Id).default([]),
    /** Bundles inside this one; their packages are part of it. */
    bundles: z.array(Id).default([]),
    /** Without a price: the sum of the packages, less the discount. */
    price: Price.optional(),
    discount: PercentValue.optional(),
    ...audience,
    ...sold,
  })
  .refine((bundle) => bundle.packages.length + bundle.bundles.length > 0, {
    path: ['packages'],
    error: 'a bundle has packages',
  })
  .refine((bundle) => bundle.price !== undefined || bundle.discount !== undefined, {
    error: 'a bundle has a price, or a discount on its packages',
  });
export type Bundle = z.output<typeof Bundle>;

export const Plan = z.strictObject({
  name: Text,
  summary: Text.optional(),
  /** 1 is the lowest. */
  tier: z.int().positive(),
  price: Price,
  perSeat: z.boolean().default(false),
  seats: z
    .strictObject({
      included: z.int().positive().optional(),
      minimum: z.int().positive().optional(),
      maximum: z.int().positive().optional(),
      assumed: Assumed,
    })
    .optional(),
  discounts: Discounts,
  segments: z.array(Id).min(1).optional(),
  /** What can be bought on top; absent means all. */
  only: z
    .strictObject({
      packages: z.array(Id).optional(),
      bundles: z.array(Id).optional(),
      addons: z.array(Id).optional(),
    })
    .default({}),
  upgradesTo: Id.optional(),
  /** When usage stays above the next plan's price for so many periods: propose the upgrade, or do it. */
  autoUpgrade: z
    .strictObject({
      policy: z.enum(['propose', 'do']),
      afterPeriods: z.int().positive(),
      assumed: Assumed,
    })
    .optional(),
  /** Allowances of a partial first period. */
  firstPeriod: z.enum(['prorated', 'full']).default('prorated'),
  /** What usage over the allowances comes to at least, in each subscription period. */
  minimumCommitment: MinimumCommitment.optional(),
  /** Whether a percentage off that a subscription carries is taken off its overages too. */
  discountsCoverOverage: z.boolean().default(false),
  ...sold,
});
export type Plan = z.output<typeof Plan>;

export const Addon = z.strictObject({
  name: Text,
  kind: z.enum([
    'support',
    'integration',
    'services',
    'training',
    'compliance',
    'sla',
    'development',
    'infrastructure',
    'licence',
    'governance',
  ]),
  summary: Text.optional(),
  price: Price,
  perSeat: z.boolean().default(false),
  ...audience,
  ...sold,
});
export type Addon = z.output<typeof Addon>;

/** Figures that the measured GA gate of a package must reach. */
export const ReadinessGate = z.strictObject({
  minimumInstalls: z.int().positive(),
  activation: PercentValue,
  completion: PercentValue,
  maximumErrors: PercentValue,
  logsPresent: PercentValue,
  cleanUninstalls: PercentValue,
});
