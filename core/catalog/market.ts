import { z } from 'zod';
import { METRIC_NAMES, METRIC_UNITS, type MetricName } from './metric-names.js';
import { AnyPercent, Assumed, CurrencyCode, Day, DecimalText, Id, Percent, PercentValue } from './values.js';
import { Text, Texts, durationSeconds, readMoney } from './values.js';

export const Segment = z.strictObject({
  name: Text,
  profile: Text,
  role: z.enum(['primary', 'secondary', 'deferred']),
  idealCustomer: z.boolean().default(false),
  motion: z.enum(['self_serve', 'self_serve_and_sales', 'sales_assisted', 'direct_sales', 'marketplace']),
  motionNote: Text.optional(),
  /** 1 is worked first. */
  priority: z.int().positive(),
  employees: z
    .strictObject({ from: z.int().positive(), to: z.int().positive().optional(), assumed: Assumed })
    .optional(),
  buyTriggers: Texts,
  assumed: Assumed,
});

export const Channel = z.strictObject({
  name: Text,
  kind: z.enum(['product', 'sales', 'partner', 'marketing', 'community', 'marketplace']),
  levers: Texts,
  metrics: Texts,
  /** Not before this phase. */
  fromPhase: Id.optional(),
  assumed: Assumed,
});

export const Experiment = z
  .strictObject({
    name: Text,
    hypothesis: Text,
    unit: z.enum(['visitor', 'user', 'org', 'install', 'partner']),
    variants: z.record(Id, z.strictObject({ name: Text, share: Percent, assumed: Assumed })),
    /** The event or metric by which variants are compared. */
    goal: Text,
    threshold: Text.optional(),
  })
  .refine(
    (experiment) =>
      Object.values(experiment.variants).reduce((sum, { share }) => sum + share, 0) === 1_000_000,
    { path: ['variants'], error: 'the shares of the variants must sum to 100 percent' },
  );

/** A stretch of the plan. Months count from `launchedOn`: `{ from: 1, to: 6 }` is the first half year. */
export const Phase = z.strictObject({
  name: Text,
  /** `projection`: a year of the financial plan beside the go-to-market phases. */
  kind: z.enum(['phase', 'projection']).default('phase'),
  months: z
    .strictObject({ from: z.int().positive(), to: z.int().positive().optional(), assumed: Assumed })
    .refine((months) => months.to === undefined || months.to >= months.from, {
      path: ['to'],
      error: 'a phase ends after it begins',
    })
    .optional(),
  goal: Text,
  audience: Text.optional(),
  focus: Texts,
  success: Texts,
});

export const CADENCES = ['weekly', 'monthly', 'quarterly'] as const;
const Cadence = z.enum(CADENCES);

const goalFields = {
  count: z.int().nonnegative().optional(),
  percent: AnyPercent.optional(),
  money: DecimalText.optional(),
  currency: CurrencyCode.optional(),
  seconds: z.int().positive().optional(),
  minutes: z.int().positive().optional(),
  hours: z.int().positive().optional(),
  days: z.int().positive().optional(),
  milliseconds: z.int().positive().optional(),
  points: z.int().optional(),
};

/** A goal in the unit people say it in; exactly one of the fields (money with its currency). */
export const Goal = z.strictObject({ ...goalFields, assumed: Assumed }).transform((goal, context) => {
  const { assumed, currency, money, ...others } = goal;
  const named = Object.entries({ ...others, money }).filter(([, value]) => value !== undefined);
  const [first] = named;
  const fail = (message: string) => {
    context.addIssue({ code: 'custom', message, input: goal });
    return z.NEVER;
  };
  if (first === undefined || named.length > 1) {
    return fail(
      'give exactly one of count, percent, money, seconds, minutes, hours, days, milliseconds, points',
    );
  }
  if ((money === undefined) !== (currency === undefined)) return fail('money and currency go together');
  if (money !== undefined && currency !== undefined) {
    const { amountMinor } = readMoney(money, currency, context, 'money');
    return { unit: 'minor' as const, value: amountMinor, currency, assumed };
  }
  if (others.percent !== undefined) return { unit: 'ppm' as const, value: BigInt(others.percent), assumed };
  if (others.count !== undefined) return { unit: 'count' as const, value: BigInt(others.count), assumed };
  if (others.points !== undefined) return { unit: 'points' as const, value: BigInt(others.points), assumed };
  if (others.milliseconds !== undefined) {
    return { unit: 'milliseconds' as const, value: BigInt(others.milliseconds), assumed };
  }
  return { unit: 'seconds' as const, value: BigInt(durationSeconds(others)), assumed };
});
export type Goal = z.output<typeof Goal>;

const SECONDS_PER_DAY = 86_400n;

/** A goal in the unit that its metric is measured in; undefined when it is of another kind. */
export function goalFor(metric: MetricName, goal: Goal): bigint | undefined {
  const unit = METRIC_UNITS[metric];
  if (unit === goal.unit) return goal.value;
  if (unit === 'days' && goal.unit === 'seconds' && goal.value % SECONDS_PER_DAY === 0n) {
    return goal.value / SECONDS_PER_DAY;
  }
  return undefined;
}

/** One number that the plan holds somebody to. */
export const Target = z
  .strictObject({
    metric: z.enum(METRIC_NAMES),
    phase: Id.optional(),
    /** Judged over these days only (half-open); without them, over the phase's months after the launch. */
    period: z.strictObject({ from: Day, to: Day.optional() }).optional(),
    dimension: z
      .enum(['segment', 'plan', 'channel', 'partner', 'country', 'motion', 'package', 'item'])
      .optional(),
    member: Id.optional(),
    comparator: z.enum(['gte', 'lte']),
    goal: Goal,
    /** The far end of a band: `goal` is the near one. */
    stretch: Goal.optional(),
    accountable: z.strictObject({ owner: Text, cadence: Cadence, assumed: Assumed }),
    note: Text.optional(),
  })
  .refine((target) => (target.dimension === undefined) === (target.member === undefined), {
    path: ['member'],
    error: 'dimension and member go together',
  });
export type Target = z.output<typeof Target>;

export const REVENUE_STREAMS = [
  'subscription',
  'overage',
  'services',
  'licence',
  'addon',
  'marketplace',
] as const;

/** Shares of revenue by stream; they sum to 100 percent. */
export const RevenueMix = z
  .partialRecord(z.enum(REVENUE_STREAMS), PercentValue)
  .refine(
    (mix) => Object.values(mix).reduce((sum, { percent }) => sum + percent, 0) === 1_000_000,
    'the shares of revenue must sum to 100 percent',
  );

/** A line of the plan's accountability table: who answers for which metrics, and how often. */
export const Accountability = z.strictObject({
  label: Text,
  metrics: z.array(z.enum(METRIC_NAMES)).min(1),
  owner: Text,
  cadence: z.array(Cadence).min(1),
  assumed: Assumed,
});
