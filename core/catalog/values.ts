import { z } from 'zod';
import { isZone } from '../calendar.js';
import { compareDecimals, tryParseDecimal } from '../decimal.js';
import { InputError } from '../errors.js';
import { isCurrency, parseMajor, type Money } from '../money.js';
import { formatInstant, tryParseDate, tryParseDateOrInstant } from '../time.js';

/**
 * The values a catalog is written in. Amounts are decimal strings in the currency's MAJOR unit ("49.00"),
 * always quoted: an unquoted 49.10 in YAML is a float before anybody can read it.
 */

/** Members that marts give a meaning of their own; a catalog can't name something so. */
export const RESERVED_IDS: readonly string[] = ['all', 'none', 'mixed', 'unknown', 'custom', 'once'];

export const Id = z
  .string()
  .regex(
    /^[a-z][a-z0-9_-]{0,63}$/,
    'an id starts with a letter and has lower-case letters, digits, "_" or "-" (64 at most)',
  )
  .refine(
    (id) => !RESERVED_IDS.includes(id),
    'this word has a meaning of its own in reports; choose another',
  );

export const Text = z.string().trim().min(1, 'must not be empty').max(1_000);
export const Texts = z.array(Text).default([]);

/** `assumed: true` marks what the plan leaves open (a band, or nothing at all); whatever shows it says so. */
export const Assumed = z.boolean().default(false);

const DECIMAL = /^(0|[1-9][0-9]{0,17})(\.[0-9]{1,12})?$/;
export const DecimalText = z.string('expected a decimal in quotes, like "49.00"').regex(DECIMAL, {
  error: 'expected a decimal like "49.00": no sign, no exponent, no thousands separator',
  abort: true,
});

/** A quantity of a meter, exact; kept as text. */
export const Quantity = DecimalText;

export const CurrencyCode = z
  .string()
  .regex(/^[A-Z]{3}$/, { error: 'expected a currency code like USD', abort: true })
  .refine(isCurrency, 'not a currency that Headgate knows (ISO 4217)');

export const Zone = z.string().refine(isZone, 'not a zone of the IANA database; write it like Europe/Berlin');

/** A calendar day, read as midnight UTC. */
export const Day = z
  .string('expected a day in quotes or plain, like 2026-10-01')
  .refine((day) => tryParseDate(day) !== null, 'expected a day like 2026-10-01');

/** An instant with an offset, or a day (midnight UTC). Kept as RFC 3339 in UTC. */
export const InstantText = z.string().transform((text, context) => {
  const instant = tryParseDateOrInstant(text);
  if (instant !== null) return formatInstant(instant);
  context.addIssue({ code: 'custom', message: 'expected an instant like 2026-10-01T00:00:00Z', input: text });
  return z.NEVER;
});

/** Reads "12.5" percent as parts per million, exactly: 125,000. At most four decimals. */
export function percentToPpm(percent: string): number {
  const [whole = '0', fraction = ''] = percent.split('.');
  return Number(BigInt(whole + fraction.padEnd(4, '0')));
}

const PercentText = z
  .string('expected a percentage in quotes, like "12.5"')
  .regex(/^(0|[1-9][0-9]{0,4})(\.[0-9]{1,4})?$/, {
    error: 'expected a percentage like "12.5" (no % sign, four decimals)',
    // What follows reads the number.
    abort: true,
  });

/** A percentage of any size (a goal of 120% net retention), in parts per million. */
export const AnyPercent = PercentText.transform(percentToPpm);

/** A share of a whole: 0 to 100 percent, in parts per million. */
export const Percent = PercentText.refine(
  (text) => percentToPpm(text) <= 1_000_000,
  'expected at most 100 percent',
).transform(percentToPpm);

const moneyFields = { amount: DecimalText, currency: CurrencyCode };

/** Reads an amount in the major unit exactly; a tenth of a cent is a problem, not a rounding. */
export function readMoney(
  amount: string,
  currency: string,
  context: z.RefinementCtx,
  path = 'amount',
): Money {
  try {
    return parseMajor(amount, currency);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    context.addIssue({ code: 'custom', path: [path], message: error.message, input: amount });
    return { amountMinor: 0n, currency };
  }
}

export const MoneyAmount = z
  .strictObject({ ...moneyFields, assumed: Assumed })
  .transform((value, context) => ({
    ...readMoney(value.amount, value.currency, context),
    assumed: value.assumed,
  }));

const termFields = { ...moneyFields, assumed: Assumed, otherCurrencies: z.array(MoneyAmount).default([]) };

/** An amount, and the same one where customers are billed in another currency; never converted. */
export const MoneyTerm = z.strictObject(termFields).transform(({ amount, currency, ...rest }, context) => ({
  ...readMoney(amount, currency, context),
  ...rest,
}));
export type MoneyTerm = z.output<typeof MoneyTerm>;

/** A period in which its plan is held for a part of the time owes that part of it by seconds, or all of it. */
export const MinimumCommitment = z
  .strictObject({ ...termFields, partialPeriod: z.enum(['prorated', 'full']).default('prorated') })
  .transform(({ amount, currency, ...rest }, context) => ({
    ...readMoney(amount, currency, context),
    ...rest,
  }));
export type MinimumCommitment = z.output<typeof MinimumCommitment>;

export const INTERVALS = ['week', 'month', 'quarter', 'year'] as const;

/** What something costs: per interval, or `once`. `orMore` is the "+" of "$299+". */
export const Price = z
  .strictObject({
    ...moneyFields,
    interval: z.enum([...INTERVALS, 'once']),
    orMore: z.boolean().default(false),
    assumed: Assumed,
    /** The same price where customers are billed in another currency; never converted on the fly. */
    otherCurrencies: z.array(MoneyAmount).default([]),
  })
  .transform(({ amount, currency, interval, orMore, assumed, otherCurrencies }, context) => ({
    ...readMoney(amount, currency, context),
    interval,
    orMore,
    assumed,
    otherCurrencies,
  }));
export type Price = z.output<typeof Price>;

export const PercentValue = z.strictObject({ percent: Percent, assumed: Assumed });

const SECONDS = { seconds: 1, minutes: 60, hours: 3_600, days: 86_400 } as const;
const durationFields = {
  seconds: z.int().positive().optional(),
  minutes: z.int().positive().optional(),
  hours: z.int().positive().optional(),
  days: z.int().positive().optional(),
};
type DurationFields = { [Unit in keyof typeof SECONDS]?: number | undefined };

export function durationSeconds(duration: DurationFields): number {
  return (
    (duration.seconds ?? 0) +
    (duration.minutes ?? 0) * SECONDS.minutes +
    (duration.hours ?? 0) * SECONDS.hours +
    (duration.days ?? 0) * SECONDS.days
  );
}

/** `{ minutes: 15 }`; parts add up. */
export const Duration = z
  .strictObject({ ...durationFields, assumed: Assumed })
  .refine((value) => durationSeconds(value) > 0, 'give seconds, minutes, hours or days')
  .transform((value) => ({ seconds: durationSeconds(value), assumed: value.assumed }));

/** Tiers that follow one another: each bound above the one before, and only the last is open. */
export function areRising(tiers: readonly { readonly upTo?: string | undefined }[]): boolean {
  return tiers.every(({ upTo }, index) => {
    const isLast = index === tiers.length - 1;
    const [bound, before] = [upTo, tiers[index - 1]?.upTo ?? '0'].map((text) => tryParseDecimal(text ?? ''));
    if (bound == null || before == null) return isLast && upTo === undefined;
    return !isLast && compareDecimals(bound, before) > 0;
  });
}
