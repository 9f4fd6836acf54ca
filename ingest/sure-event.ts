import { CURRENCY_CODES } from '../core/currencies.js';
import { ENVELOPE_ATTRIBUTES, SPEC_VERSION, type ValidEvent } from '../core/events/envelope.js';
import { COMPANY_SUBJECT, type SubjectRule } from '../core/events/event-type.js';
import { typeSpec, type FieldSpec } from '../core/events/field-specs.js';
import { eventDefinition, isEventType, streamOfType, type EventType } from '../core/events.js';
import { ID_MAX_LENGTH, TEXT_MAX_LENGTH, type FieldRule } from '../core/fields.js';
import type { Stream } from '../core/raw-event.js';
import { tryParseDateOrInstant, tryParseInstant, type Instant } from '../core/time.js';

type Data = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

/** What one type needs, made once from its zod schema. */
interface TypeCheck {
  readonly type: EventType;
  readonly stream: Stream;
  readonly isData: Check;
  readonly subject: SubjectRule | undefined;
}

// eslint-disable-next-line no-control-regex -- ids must not hold any
const CONTROL = /[\u0000-\u001f\u007f]/;
const UNSIGNED_DIGITS = /^\d{1,18}$/;
const SIGNED_DIGITS = /^-?\d{1,18}$/;
const UNSIGNED_DECIMAL = /^\d{1,18}(?:\.\d{1,12})?$/;
const SIGNED_DECIMAL = /^-?\d{1,18}(?:\.\d{1,12})?$/;
const MAX_ELEMENTS = 1_000;
const CURRENCIES: ReadonlySet<unknown> = new Set(CURRENCY_CODES);

const checks = new Map<string, TypeCheck | null>();

/**
 * The event, when it surely is one: a tenth of what zod takes, which a batch over HTTP feels. Null means "ask zod",
 * never "no"; what is wrong with an event is always zod's to say. A property test holds the two together.
 *
 * @param value what `parseJsonExact` gave
 */
export function sureEvent(value: unknown, latest: Instant): ValidEvent | null {
  if (!isObject(value) || value['specversion'] !== SPEC_VERSION) return null;
  const { id, source, type, subject, time, data } = value;
  if (typeof type !== 'string' || typeof time !== 'string') return null;
  const check = typeCheck(type);
  if (!check || !isId(id) || !isId(source) || !isId(subject)) return null;
  if (!isObject(data) || Object.hasOwn(data, '__proto__') || !check.isData(data)) return null;
  if (check.subject !== undefined && expectedSubject(check.subject, data) !== subject) return null;
  const timeMicros = tryParseInstant(time);
  if (timeMicros === null || timeMicros > latest) return null;
  const extra = unknownAttributes(value);
  return { stream: check.stream, id, source, type: check.type, subject, timeMicros, data, extra };
}

/** The same of an event whose envelope somebody else has looked at: whether it surely is one, of this stream. */
export function isSureData(
  type: string,
  { stream, subject }: { readonly stream: Stream; readonly subject: string },
  data: Data,
): boolean {
  const check = typeCheck(type);
  if (!check || check.stream !== stream || Object.hasOwn(data, '__proto__') || !check.isData(data))
    return false;
  return check.subject === undefined || expectedSubject(check.subject, data) === subject;
}

function typeCheck(type: string): TypeCheck | null {
  const known = checks.get(type);
  if (known !== undefined) return known;
  if (!isEventType(type)) return null;
  const stream = streamOfType(type);
  const { fields, rules } = typeSpec(type);
  const subject = eventDefinition(type)?.subject;
  // What a correction must be depends on its target.
  const made = stream === null ? null : { type, stream, isData: objectCheck(fields, rules), subject };
  checks.set(type, made);
  return made;
}

function expectedSubject(rule: SubjectRule, data: Data): unknown {
  return rule.kind === 'company' ? COMPANY_SUBJECT : data[rule.field];
}

function unknownAttributes(value: Data): ValidEvent['extra'] {
  let extra: Record<string, unknown> | null = null;
  for (const name of Object.keys(value)) {
    if (!ENVELOPE_ATTRIBUTES.has(name)) extra = Object.assign(extra ?? {}, { [name]: value[name] });
  }
  return extra;
}

function objectCheck(fields: readonly FieldSpec[], rules: readonly FieldRule[]): Check {
  const members = fields.map((spec) => [spec.name, fieldCheck(spec)] as const);
  return (value) =>
    isObject(value) &&
    members.every(([name, check]) => check(value[name])) &&
    rules.every((rule) => ruleHolds(rule, value));
}

function fieldCheck(spec: FieldSpec): Check {
  const present = presentCheck(spec);
  return spec.optional ? (value) => value === undefined || value === null || present(value) : present;
}

function presentCheck(spec: FieldSpec): Check {
  const isSigned = spec.signed === true;
  switch (spec.kind) {
    case 'text': {
      const maxLength = spec.maxLength ?? TEXT_MAX_LENGTH;
      return (value) => typeof value === 'string' && value.length <= maxLength;
    }
    case 'id':
      return isId;
    case 'enum': {
      const words: ReadonlySet<unknown> = new Set(spec.values);
      return (value) => words.has(value);
    }
    case 'currency':
      return (value) => CURRENCIES.has(value);
    case 'boolean':
      return (value) => typeof value === 'boolean';
    case 'integer': {
      const min = spec.min ?? 1;
      return (value) => isWhole(value, false) && Number(value) >= min;
    }
    case 'minor':
    case 'micros':
      return (value) => isWhole(value, isSigned) || isText(value, isSigned ? SIGNED_DIGITS : UNSIGNED_DIGITS);
    case 'quantity':
      return quantityCheck(isSigned);
    case 'quantities': {
      const isQuantity = quantityCheck(false);
      return (value) =>
        isObject(value) && Object.entries(value).every(([meter, used]) => isId(meter) && isQuantity(used));
    }
    case 'instant':
      return (value) => typeof value === 'string' && tryParseInstant(value) !== null;
    case 'date':
      return (value) => typeof value === 'string' && tryParseDateOrInstant(value) !== null;
    case 'list': {
      const isElement = spec.element ? fieldCheck(spec.element) : () => false;
      return (value) => Array.isArray(value) && value.length <= MAX_ELEMENTS && value.every(isElement);
    }
    case 'object':
      return spec.fields ? objectCheck(spec.fields, spec.rules ?? []) : () => false;
    case 'json':
      return (value) => isObject(value) && !Object.hasOwn(value, '__proto__');
    case 'percent':
      return (value) => {
        const share = typeof value === 'number' ? String(value) : value;
        return isText(share, UNSIGNED_DECIMAL) && Number(share) > 0 && Number(share) <= 100;
      };
    case 'rate':
    case 'zone':
      return () => false;
  }
}

function quantityCheck(isSigned: boolean): Check {
  const pattern = isSigned ? SIGNED_DECIMAL : UNSIGNED_DECIMAL;
  return (value) =>
    isWhole(value, isSigned) || isText(typeof value === 'number' ? String(value) : value, pattern);
}

function ruleHolds(rule: FieldRule, value: Data): boolean {
  const has = (field: string): boolean => value[field] !== undefined && value[field] !== null;
  switch (rule.kind) {
    case 'needs':
      return !has(rule.field) || has(rule.companion);
    case 'any_of':
      return rule.fields.some(has);
    case 'exactly_one':
      return rule.fields.filter(has).length === 1;
    case 'ordered': {
      const [start, end] = [value[rule.start], value[rule.end]];
      if (typeof start !== 'string' || typeof end !== 'string') return true;
      return (tryParseDateOrInstant(end) ?? 0n) >= (tryParseDateOrInstant(start) ?? 0n);
    }
    case 'whole_number_when':
      return value[rule.when] !== rule.is || isUpTo(value[rule.field], rule.max);
  }
}

function isObject(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isId(value: unknown): value is string {
  return (
    typeof value === 'string' && value.length > 0 && value.length <= ID_MAX_LENGTH && !CONTROL.test(value)
  );
}

function isWhole(value: unknown, isSigned: boolean): boolean {
  return Number.isSafeInteger(value) && (isSigned || Number(value) >= 0);
}

function isUpTo(value: unknown, max: number): boolean {
  return isWhole(value, false) && Number(value) <= max;
}

function isText(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}
