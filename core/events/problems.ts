import type { z } from 'zod';
import { CURRENCY_CODES } from '../currencies.js';
import { ID_MAX_LENGTH, type FieldKind } from '../fields.js';
import { didYouMean } from '../suggest.js';
import { metaOf, pathText, schemaAt, valueAt } from './schema-walk.js';

/** Why an event was not accepted. Codes are a contract: quarantine groups by them. */
export const EVENT_PROBLEM_CODES = [
  'invalid_json',
  'invalid_utf8',
  'event_too_large',
  'not_an_object',
  'missing_field',
  'wrong_type',
  'money_not_integer',
  'unknown_currency',
  'unknown_type',
  'unknown_value',
  'unknown_zone',
  'invalid_instant',
  'invalid_decimal',
  'invalid_text',
  'out_of_range',
  'too_long',
  'too_many_fields',
  'period_reversed',
  'time_in_future',
  'wrong_subject',
  'unsupported_version',
  'unsupported_data',
  'correction_of_correction',
] as const;
export type EventProblemCode = (typeof EVENT_PROBLEM_CODES)[number];

export interface EventProblem {
  /** `data.lines[2].amountMinor`; empty for the event as a whole. */
  readonly path: string;
  readonly code: EventProblemCode;
  /** What is wrong, where, and what to do. Never shows a value that could be personal. */
  readonly message: string;
}

const KNOWN_CODES: ReadonlySet<string> = new Set(EVENT_PROBLEM_CODES);
const SHOWN_LENGTH = 40;
/** Kinds whose values a message may repeat; what stands in texts, ids and open objects may be personal. */
const SHOWN_KINDS: ReadonlySet<FieldKind> = new Set<FieldKind>([
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
]);

const EXPECTED: Readonly<Record<FieldKind, string>> = {
  text: 'a text',
  id: 'an id (a text)',
  enum: 'one of a few words',
  boolean: 'true or false',
  integer: 'a whole number, 0 or more',
  minor: 'whole minor units (1250 for 12.50 USD), as an integer or a string of digits',
  micros: "millionths of the currency's unit, as an integer or a string of digits",
  quantity: 'a number or a decimal string like "0.25", at most 18 digits before and 12 after the point',
  rate: 'a decimal string above 0, like "1.0834"',
  percent: 'a number above 0 and at most 100',
  currency: 'an ISO 4217 code like USD',
  instant: 'RFC 3339 with an offset, like 2026-01-31T09:30:00Z',
  date: 'a date like 2026-01-31, or RFC 3339 with an offset',
  zone: 'an IANA time zone like Europe/Berlin',
  object: 'an object',
  list: 'a list',
  quantities: 'an object of meter and quantity',
  json: 'an object',
};

const CODE_BY_KIND: Readonly<Partial<Record<FieldKind, EventProblemCode>>> = {
  currency: 'unknown_currency',
  enum: 'unknown_value',
  instant: 'invalid_instant',
  date: 'invalid_instant',
  zone: 'unknown_zone',
  quantity: 'invalid_decimal',
  rate: 'invalid_decimal',
  percent: 'invalid_decimal',
};

interface Context {
  readonly value: unknown;
  readonly schema: z.core.$ZodType;
  /** Where the value stands in the event. */
  readonly prefix: readonly string[];
}

/** Turns zod's issues into problems that a producer of events can act on: one per place, the first. */
export function problemsOfIssues(issues: readonly z.core.$ZodIssue[], context: Context): EventProblem[] {
  const byPath = new Map<string, EventProblem>();
  for (const issue of issues) {
    const problem = problemOfIssue(issue, context);
    if (!byPath.has(problem.path)) byPath.set(problem.path, problem);
  }
  return [...byPath.values()];
}

function problemOfIssue(issue: z.core.$ZodIssue, context: Context): EventProblem {
  const path = pathText([...context.prefix, ...issue.path]);
  if (issue.code === 'custom' && issue.params !== undefined) {
    return { path, code: knownCode(issue.params['code']), message: `${path} ${issue.message}` };
  }
  const found = valueAt(context.value, issue.path);
  const schema = schemaAt(context.schema, issue.path);
  const meta = schema === undefined ? undefined : metaOf(schema);
  const kind = meta?.kind ?? 'json';
  const expected = kind === 'enum' ? `one of ${optionsOf(schema).join(', ')}` : EXPECTED[kind];
  if (found === undefined || found === null) {
    return { path, code: 'missing_field', message: `${path} is missing; send ${expected}` };
  }
  const code = codeOf(kind, found, issue);
  const isShowable = meta?.personal === undefined && SHOWN_KINDS.has(kind);
  const shown = isShowable ? `${path}: ${show(found)}` : path;
  return {
    path,
    code,
    message: `${shown} ${complaint(code, kind, found)}; send ${expected}${hint(kind, found, schema)}`,
  };
}

function codeOf(kind: FieldKind, found: unknown, issue: z.core.$ZodIssue): EventProblemCode {
  if (issue.code === 'too_big') return typeof found === 'number' ? 'out_of_range' : 'too_long';
  if (issue.code === 'too_small') return typeof found === 'number' ? 'out_of_range' : 'missing_field';
  if (issue.code === 'invalid_key') return 'invalid_text';
  if (typeof found !== 'string' && typeof found !== 'number') return 'wrong_type';
  if (kind === 'minor' || kind === 'micros') {
    const text = String(found).trim();
    if (/^-?\d*\.\d+$|\d[eE]-\d/.test(text)) return 'money_not_integer';
    return /^-?\d+$|\d[eE]\+\d/.test(text) ? 'out_of_range' : 'wrong_type';
  }
  if (kind === 'quantity' || kind === 'percent') return 'invalid_decimal';
  if (typeof found === 'number')
    return kind === 'integer' ? 'wrong_type' : kind === 'rate' ? 'wrong_type' : 'wrong_type';
  if (kind === 'id') return found.length > ID_MAX_LENGTH ? 'too_long' : 'invalid_text';
  return CODE_BY_KIND[kind] ?? 'wrong_type';
}

function complaint(code: EventProblemCode, kind: FieldKind, found: unknown): string {
  switch (code) {
    case 'money_not_integer':
      return 'is a fraction where whole minor units belong';
    case 'unknown_currency':
      return 'is not a currency code';
    case 'unknown_value':
      return 'is not a word that belongs here';
    case 'unknown_zone':
      return 'is not a time zone';
    case 'invalid_instant':
      return kind === 'date' ? 'is neither a date nor an instant' : 'is not an instant';
    case 'invalid_decimal':
      return 'is not a number that fits';
    case 'invalid_text':
      return 'holds a character that is not allowed here';
    case 'out_of_range':
      return 'is out of range';
    case 'too_long':
      return `is too long (${lengthOf(found)})`;
    case 'missing_field':
      return 'is empty';
    default:
      return kind === 'integer' && typeof found === 'number' ? 'is not whole' : `is ${article(found)}`;
  }
}

function hint(kind: FieldKind, found: unknown, schema: z.core.$ZodType | undefined): string {
  if (typeof found !== 'string') return '';
  if (kind === 'currency') return didYouMean(found.toUpperCase(), CURRENCY_CODES);
  return kind === 'enum' ? didYouMean(found, optionsOf(schema)) : '';
}

function optionsOf(schema: z.core.$ZodType | undefined): string[] {
  if (schema === undefined || !('options' in schema) || !Array.isArray(schema.options)) return [];
  return schema.options.map(String);
}

function knownCode(code: unknown): EventProblemCode {
  const isKnown = (text: unknown): text is EventProblemCode =>
    typeof text === 'string' && KNOWN_CODES.has(text);
  return isKnown(code) ? code : 'wrong_type';
}

function show(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
}

function article(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}

function lengthOf(value: unknown): number {
  return typeof value === 'string' || Array.isArray(value) ? value.length : 0;
}
