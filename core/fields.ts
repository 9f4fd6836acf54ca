import { z } from 'zod';
import { isZone } from './calendar.js';
import { CURRENCY_CODES } from './currencies.js';
import { isQuantity, tryParseDecimal } from './decimal.js';
import { tryParseDateOrInstant, tryParseInstant } from './time.js';

/** What a field of an event holds. Messages, reference pages and the bulk path's SQL predicates go by it. */
export const FIELD_KINDS = [
  'text',
  'id',
  'enum',
  'boolean',
  'integer',
  'minor',
  'micros',
  'quantity',
  'rate',
  'percent',
  'currency',
  'instant',
  'date',
  'zone',
  'object',
  'list',
  'quantities',
  'json',
] as const;
export type FieldKind = (typeof FIELD_KINDS)[number];

// A type and not an interface: zod's registries want an implicit index signature.
export type FieldMeta = {
  readonly kind: FieldKind;
  readonly description?: string | undefined;
  /** The kind of personal value it holds; its token is made per kind, so that joins across types work. */
  readonly personal?: string | undefined;
  /** For open objects: key → kind of personal value. */
  readonly personalKeys?: Readonly<Record<string, string>>;
  readonly rules?: readonly FieldRule[];
  /** For numbers: whether they may be below 0. */
  readonly signed?: boolean;
  /** Least value of an integer. */
  readonly min?: number;
};

/** What holds between the fields of one object. Data, so that SQL and pages can say the same as zod does. */
export type FieldRule =
  | { readonly kind: 'needs'; readonly field: string; readonly companion: string }
  | { readonly kind: 'any_of'; readonly fields: readonly string[] }
  | { readonly kind: 'exactly_one'; readonly fields: readonly string[] }
  | { readonly kind: 'ordered'; readonly start: string; readonly end: string }
  | {
      readonly kind: 'whole_number_when';
      readonly field: string;
      readonly when: string;
      readonly is: string;
      readonly max: number;
    };

export const fieldRegistry = z.registry<FieldMeta>();

export const ID_MAX_LENGTH = 200;
export const TEXT_MAX_LENGTH = 2_000;
/** Longest text of a number; with it, `0.000…1` in a thousand zeros can't slip through. */
const NUMBER_MAX_LENGTH = 40;
/** 18 digits and a sign: always inside a 64-bit integer. */
export const MINOR_PATTERN = /^-?\d{1,18}$/;
export const MINOR_UNSIGNED_PATTERN = /^\d{1,18}$/;
export const DECIMAL_PATTERN = /^-?\d+(?:\.\d+)?$/;
export const DECIMAL_UNSIGNED_PATTERN = /^\d+(?:\.\d+)?$/;
/** Ids go into keys that are joined by line breaks, and into logs: no control characters. */
// eslint-disable-next-line no-control-regex -- they are what it excludes
export const ID_PATTERN = /^[^\u0000-\u001f\u007f]+$/;

export function text(description?: string, maxLength = TEXT_MAX_LENGTH) {
  return z.string().max(maxLength).register(fieldRegistry, { kind: 'text', description });
}

/** A value that belongs to a person and never enters log, warehouse or lake: ingest puts a token in its place. */
export function personalText(personal: string, description?: string) {
  return z.string().max(TEXT_MAX_LENGTH).register(fieldRegistry, { kind: 'text', personal, description });
}

export function id(description?: string) {
  return z
    .string()
    .min(1)
    .max(ID_MAX_LENGTH)
    .regex(ID_PATTERN)
    .register(fieldRegistry, { kind: 'id', description });
}

export function oneOf<const Values extends readonly [string, ...string[]]>(
  values: Values,
  description?: string,
) {
  return z.enum(values).register(fieldRegistry, { kind: 'enum', description });
}

export function flag(description?: string) {
  return z.boolean().register(fieldRegistry, { kind: 'boolean', description });
}

/** A count: not negative, exact in a double. */
export function integer(description?: string, min = 0) {
  return z.int().min(min).register(fieldRegistry, { kind: 'integer', min, description });
}

/** An amount that may be negative (a credit line, a reversal), in the currency's minor unit. */
export function minor(description?: string) {
  return z
    .union([z.int(), z.string().regex(MINOR_PATTERN)])
    .register(fieldRegistry, { kind: 'minor', signed: true, description });
}

/** An amount that can't be negative, in the currency's minor unit. */
export function minorUnsigned(description?: string) {
  return z
    .union([z.int().min(0), z.string().regex(MINOR_UNSIGNED_PATTERN)])
    .register(fieldRegistry, { kind: 'minor', signed: false, description });
}

/** A cost in millionths of the currency's major unit. */
export function micros(description?: string) {
  return z
    .union([z.int().min(0), z.string().regex(MINOR_UNSIGNED_PATTERN)])
    .register(fieldRegistry, { kind: 'micros', description });
}

function isDecimalThat(check: (text: string) => boolean): (value: string | number) => boolean {
  return (value) => check(String(value));
}

function isQuantityText(text: string): boolean {
  if (text.length > NUMBER_MAX_LENGTH) return false;
  const decimal = tryParseDecimal(text);
  return decimal !== null && isQuantity(decimal);
}

/** A quantity: a decimal string or a number, at most 18 digits before and 12 after the point. */
export function quantity(description?: string) {
  return z
    .union([z.number().min(0), z.string().regex(DECIMAL_UNSIGNED_PATTERN)])
    .refine(isDecimalThat(isQuantityText))
    .register(fieldRegistry, { kind: 'quantity', signed: false, description });
}

/** A measured value: a quantity that may be negative. */
export function quantitySigned(description?: string) {
  return z
    .union([z.number(), z.string().regex(DECIMAL_PATTERN)])
    .refine(isDecimalThat(isQuantityText))
    .register(fieldRegistry, { kind: 'quantity', signed: true, description });
}

/** Meter → quantity. */
export function quantities(description?: string) {
  return z
    .record(z.string().min(1).max(ID_MAX_LENGTH).regex(ID_PATTERN), quantity())
    .register(fieldRegistry, { kind: 'quantities', description });
}

/** An exchange rate as a decimal string above 0: a JSON number would have gone through a float on its way. */
export function rate(description?: string) {
  return z
    .string()
    .regex(DECIMAL_UNSIGNED_PATTERN)
    .refine((value) => isQuantityText(value) && /[1-9]/.test(value))
    .register(fieldRegistry, { kind: 'rate', description });
}

/** More than 0 and at most 100. */
export function percent(description?: string) {
  return z
    .union([z.number().gt(0).max(100), z.string().regex(DECIMAL_UNSIGNED_PATTERN)])
    .refine(isDecimalThat((value) => isQuantityText(value) && Number(value) > 0 && Number(value) <= 100))
    .register(fieldRegistry, { kind: 'percent', description });
}

export function currency(description?: string) {
  return z.enum(CURRENCY_CODES).register(fieldRegistry, { kind: 'currency', description });
}

/** RFC 3339 with an offset. */
export function instant(description?: string) {
  return z
    .string()
    .refine((value) => tryParseInstant(value) !== null)
    .register(fieldRegistry, { kind: 'instant', description });
}

/** `YYYY-MM-DD` (midnight UTC) or an instant. */
export function dateOrInstant(description?: string) {
  return z
    .string()
    .refine((value) => tryParseDateOrInstant(value) !== null)
    .register(fieldRegistry, { kind: 'date', description });
}

export function zone(description?: string) {
  return z
    .string()
    .refine((value) => isZone(value))
    .register(fieldRegistry, { kind: 'zone', description });
}

/** Whatever somebody wants to keep with the event: kept as it came. */
export function openObject(description?: string) {
  return z.record(z.string(), z.unknown()).register(fieldRegistry, { kind: 'json', description });
}

/** Keys of `attributes` that hold a person's data in every CRM; a catalog lists its own beside these. */
export const PERSONAL_ATTRIBUTES: Readonly<Record<string, string>> = {
  email: 'email',
  phone: 'phone',
  mobile: 'phone',
  name: 'name',
  firstName: 'name',
  lastName: 'name',
  fullName: 'name',
  comment: 'comment',
};

/** An open object some of whose well-known keys are personal. */
export function personalAttributes(description?: string) {
  return z
    .record(z.string(), z.unknown())
    .register(fieldRegistry, { kind: 'json', description, personalKeys: PERSONAL_ATTRIBUTES });
}

export function list<Element extends z.ZodType>(element: Element, description?: string, maxLength = 1_000) {
  return z.array(element).max(maxLength).register(fieldRegistry, { kind: 'list', description });
}

/** May be absent, and `null` says the same. */
export function optional<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish();
}

/** Unknown fields are kept, never dropped, never an error. */
export function dataObject<Shape extends z.ZodRawShape>(shape: Shape, rules: readonly FieldRule[] = []) {
  return z
    .looseObject(shape)
    .superRefine((value, context) => {
      for (const rule of rules) checkRule(rule, value, context);
    })
    .register(fieldRegistry, { kind: 'object', rules });
}

function checkRule(
  rule: FieldRule,
  value: Readonly<Record<string, unknown>>,
  context: z.RefinementCtx,
): void {
  const has = (field: string): boolean => value[field] !== undefined && value[field] !== null;
  const report = (field: string, code: string, message: string): void => {
    context.addIssue({ code: 'custom', path: [field], message, params: { code } });
  };
  switch (rule.kind) {
    case 'needs':
      if (has(rule.field) && !has(rule.companion)) {
        report(
          rule.companion,
          'missing_field',
          `is missing; ${rule.field} needs ${rule.companion} beside it`,
        );
      }
      return;
    case 'any_of':
    case 'exactly_one': {
      const [first = ''] = rule.fields;
      const count = rule.fields.filter(has).length;
      const names = rule.fields.join(', ');
      if (count === 0) report(first, 'missing_field', `is missing; one of ${names} must be there`);
      if (count > 1 && rule.kind === 'exactly_one') {
        report(first, 'too_many_fields', `stands beside another; send only one of ${names}`);
      }
      return;
    }
    case 'ordered': {
      const start = instantAt(value[rule.start]);
      const end = instantAt(value[rule.end]);
      if (start !== null && end !== null && end < start) {
        report(rule.end, 'period_reversed', `lies before ${rule.start}; swap them (the end is exclusive)`);
      }
      return;
    }
    case 'whole_number_when': {
      const number = Number(value[rule.field]);
      if (value[rule.when] === rule.is && !(Number.isInteger(number) && number >= 0 && number <= rule.max)) {
        report(
          rule.field,
          'out_of_range',
          `must be a whole number from 0 to ${rule.max} when ${rule.when} is ${rule.is}`,
        );
      }
    }
  }
}

function instantAt(value: unknown): bigint | null {
  return typeof value === 'string' ? tryParseDateOrInstant(value) : null;
}
