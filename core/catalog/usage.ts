import { z } from 'zod';
import { STREAMS } from '../raw-event.js';
import { Assumed, CurrencyCode, DecimalText, Id, MoneyTerm, Quantity, Text, areRising } from './values.js';

/** Event types that a meter can read, and the stream each is in. */
export const METERED_EVENT_TYPES = {
  'execution.started': 'executions',
  'execution.completed': 'executions',
  'usage.recorded': 'executions',
  'session.active': 'installs',
  'install.created': 'installs',
} as const;
export type MeteredEventType = keyof typeof METERED_EVENT_TYPES;
const METERED_TYPE_NAMES = [
  'execution.started',
  'execution.completed',
  'usage.recorded',
  'session.active',
  'install.created',
] as const satisfies readonly MeteredEventType[];

/**
 * What usage leads to that becomes known after it was billed. What is too little is on the next invoice, always. What was too much is
 * credited on the invoice that charged it (`credit_note`), or taken off the next one (`next_invoice`). `reopen_draft` takes a bill that
 * is not final back and makes it anew; after that it is as `credit_note`. `report`: people decide; nothing is billed or credited.
 */
export const LATE_USAGE = ['credit_note', 'next_invoice', 'reopen_draft', 'report'] as const;
export type LateUsage = (typeof LATE_USAGE)[number];

/**
 * What is counted. On `execution.completed`, `key` names the quantity inside `usage`; without a key, executions
 * themselves are counted. `billsFailed` adds `execution.failed`. On `usage.recorded`, `key` is the event's meter. On events of
 * installs, `key` names a field.
 *
 * `unique` counts distinct values: of the event's `unique` on `usage.recorded`, else of the field that `key` names, `userId` without one.
 * `latest` and `time_weighted` are of levels, which hold until they are told otherwise: the last one, and the average by time.
 */
export const Meter = z
  .strictObject({
    name: Text,
    unit: Text,
    stream: z.enum(STREAMS),
    eventType: z.enum(METERED_TYPE_NAMES),
    key: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/, 'expected the name of a usage quantity, like ai_operations')
      .optional(),
    aggregation: z.enum(['count', 'sum', 'max', 'unique', 'latest', 'time_weighted']),
    /** Only events whose field has one of these values are counted. */
    filter: z.record(z.string().min(1).max(64), z.array(Text).min(1)).default({}),
    billsFailed: z.boolean().default(false),
    /** What a quota check answers when usage can't be known: let work through, or stop it. */
    whenUnknown: z.enum(['open', 'closed']).default('open'),
    lateUsage: z.enum(LATE_USAGE).default('credit_note'),
  })
  .refine((meter) => METERED_EVENT_TYPES[meter.eventType] === meter.stream, {
    path: ['stream'],
    error: 'events of this eventType are in another stream',
  })
  .refine((meter) => meter.key !== undefined || !needsKey(meter.eventType, meter.aggregation), {
    path: ['aggregation'],
    error: 'this aggregation needs a key: the quantity it reads',
  });
export type Meter = z.output<typeof Meter>;

function needsKey(eventType: MeteredEventType, aggregation: string): boolean {
  if (eventType === 'usage.recorded') return true;
  return aggregation !== 'count' && aggregation !== 'unique';
}

/** What a price includes: a quantity per billing period, calendar month or day; or no limit at all. */
export const Allowance = z
  .strictObject({
    quantity: Quantity.optional(),
    unlimited: z.boolean().default(false),
    per: z.enum(['period', 'month', 'day']).default('period'),
    perSeat: z.boolean().default(false),
    assumed: Assumed,
  })
  .refine((allowance) => (allowance.quantity === undefined) === allowance.unlimited, {
    error: 'give either a quantity or `unlimited: true`',
  });
export const Allowances = z.record(Id, Allowance).default({});

/** A rate in the major unit: may be finer than a cent, since a line is rounded once, at its end. */
const Rate = z.strictObject({ amount: DecimalText, currency: CurrencyCode, assumed: Assumed });
const rateFields = {
  amount: DecimalText,
  currency: CurrencyCode,
  assumed: Assumed,
  otherCurrencies: z.array(Rate).default([]),
};
const Block = DecimalText.refine((block) => !/^0(\.0+)?$/.test(block), 'a block must be more than 0');
const OverageTiers = z
  .array(z.strictObject({ upTo: Quantity.optional(), amount: DecimalText, flat: DecimalText.optional() }))
  .min(1)
  .refine(areRising, 'tiers must rise, and the last one alone has no upTo');

/**
 * What usage over the allowance costs.
 * - `per_unit`: amount × quantity.
 * - `per_block`: the rate is quoted per N and holds for parts of it: $0.10 per 1,000 makes 1,500 cost $0.15.
 *   Nobody pays for what they did not use.
 * - `package`: sold in whole packages of N; one begun is one sold.
 * - `graduated`: each tier's price for the part inside it. `volume`: the tier reached prices the whole.
 */
export const OveragePrice = z.discriminatedUnion('model', [
  z.strictObject({ model: z.literal('per_unit'), ...rateFields }),
  z.strictObject({ model: z.literal('per_block'), block: Block, ...rateFields }),
  z.strictObject({ model: z.literal('package'), block: Block, ...rateFields }),
  z.strictObject({
    model: z.literal('graduated'),
    currency: CurrencyCode,
    tiers: OverageTiers,
    assumed: Assumed,
  }),
  z.strictObject({
    model: z.literal('volume'),
    currency: CurrencyCode,
    tiers: OverageTiers,
    assumed: Assumed,
  }),
]);
export type OveragePrice = z.output<typeof OveragePrice>;
export const OveragePrices = z.record(Id, OveragePrice).default({});

/** Guardrails that hold whatever has been paid: how fast, and how many at once. */
export const Limits = z.strictObject({
  rates: z
    .array(
      z.strictObject({
        of: z.enum(['executions', 'api_calls', 'events', 'messages']),
        count: z.int().positive(),
        per: z.enum(['second', 'minute', 'hour', 'day']),
        assumed: Assumed,
      }),
    )
    .default([]),
  concurrency: z.strictObject({ count: z.int().positive(), assumed: Assumed }).optional(),
});

/**
 * At the limit, `hard` pauses the work and `soft` goes on and bills the overage; the org's admin picks one of
 * `choices`. `spendCap` bounds what a soft stop bills in a subscription period. `atLimit` says how a pause ends: by itself at the
 * reset, or by approval.
 * `paymentGraceDays`: so long after a payment failed, or was due, work goes on; then it pauses until it is paid.
 */
export const StopPolicy = z
  .strictObject({
    default: z.enum(['hard', 'soft']),
    choices: z
      .array(z.enum(['hard', 'soft']))
      .min(1)
      .default(['hard', 'soft']),
    atLimit: z.enum(['pause', 'approval']).default('pause'),
    spendCap: MoneyTerm.optional(),
    paymentGraceDays: z.int().min(0).max(365).default(14),
    assumed: Assumed,
  })
  .refine((policy) => policy.choices.includes(policy.default), {
    path: ['default'],
    error: 'the default must be one of the choices',
  });

/** Days or usage, whichever ends first. */
export const Trial = z.strictObject({
  days: z.int().min(1).max(365),
  caps: z.record(Id, Quantity).default({}),
  assumed: Assumed,
});

/** The customer's own model key: its executions carry no model cost, and the meters named are not counted. */
export const OwnKey = z.strictObject({
  allowed: z.boolean(),
  uncountedMeters: z.array(Id).default([]),
  assumed: Assumed,
});
