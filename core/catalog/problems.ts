import { z } from 'zod';
import { didYouMean } from '../suggest.js';

/** One thing wrong with a catalog, where it is, and what to do about it. */
export interface CatalogProblem {
  readonly path: readonly (string | number)[];
  readonly code: 'shape' | 'unknown_field' | 'unknown_reference' | 'cycle' | 'duplicate' | 'meaning';
  readonly message: string;
  /** Whether the position to show is that of the name or of what stands behind it. */
  readonly at: 'key' | 'value';
}

type Issue = z.core.$ZodIssue;
type Schema = z.core.$ZodType;

/** Says zod's issues in the words of a catalog, with a suggestion where a name is nearly right. */
export function explainIssues(
  issues: readonly Issue[],
  schema: Schema,
  document: unknown,
): readonly CatalogProblem[] {
  return issues.flatMap((issue) => explain(issue, schema, document));
}

function explain(issue: Issue, schema: Schema, document: unknown): CatalogProblem[] {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  if (issue.code === 'unrecognized_keys') {
    const known = schemasAt(schema, path).flatMap(fieldNames);
    return issue.keys.map((key) => ({
      path: [...path, key],
      code: 'unknown_field',
      message: `unknown field "${key}"${didYouMean(key, known)}`,
      at: 'key',
    }));
  }
  if (issue.code === 'invalid_key') {
    const [first] = issue.issues;
    return [{ path, code: 'shape', message: first?.message ?? issue.message, at: 'key' }];
  }
  return [{ path, code: 'shape', message: messageOf(issue, valueAt(document, path)), at: 'value' }];
}

function messageOf(issue: Issue, value: unknown): string {
  const isDefaultText = issue.message.startsWith('Invalid ');
  if (value === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value')) {
    return 'this field is required and missing';
  }
  if (issue.code === 'invalid_value') {
    const names = issue.values.map(String);
    const suggestion = typeof value === 'string' ? didYouMean(value, names) : '';
    return suggestion === ''
      ? `${show(value)} is not one of ${names.join(', ')}`
      : `unknown value ${show(value)}${suggestion}`;
  }
  if (issue.code === 'invalid_type' && isDefaultText) {
    return `expected ${expectedWords(issue.expected)}, found ${show(value)}`;
  }
  if (issue.code === 'invalid_union' && isDefaultText) return explainUnion(issue, value);
  return issue.message;
}

function explainUnion(issue: Issue & { code: 'invalid_union' }, value: unknown): string {
  const discriminator = issue.discriminator ?? String(issue.path.at(-1) ?? '');
  if (issue.errors.length === 0 && value === undefined) return `"${discriminator}" is required and missing`;
  if (issue.errors.length === 0) return `${show(value)} is not a known ${discriminator}`;
  return `${show(value)} does not fit any of the forms this field takes`;
}

function expectedWords(expected: string): string {
  const words: Record<string, string> = {
    string: 'text (in quotes where it looks like a number)',
    record: 'a map of id: …',
    object: 'a map of fields',
    array: 'a list',
    boolean: 'true or false',
    int: 'a whole number',
    number: 'a number',
  };
  return words[expected] ?? expected;
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'nothing (an empty value)';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  return typeof value === 'number' || typeof value === 'boolean'
    ? `the ${typeof value} ${value}`
    : typeof value;
}

/** The value at a path of a parsed document; undefined where the path leaves it. */
export function valueAt(document: unknown, path: readonly (string | number)[]): unknown {
  let value = document;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}

/** The schemas that rule at a path: several where a union leaves the choice open. */
function schemasAt(schema: Schema, path: readonly (string | number)[]): Schema[] {
  return path.reduce<Schema[]>(
    (schemas, step) => schemas.flatMap((each) => stepInto(each, step)),
    unwrap(schema),
  );
}

function stepInto(schema: Schema, step: string | number): Schema[] {
  if (schema instanceof z.ZodObject) {
    const field: unknown = Reflect.get(schema.shape, step);
    return field instanceof z.core.$ZodType ? unwrap(field) : [];
  }
  if (schema instanceof z.ZodRecord) return unwrap(schema.valueType);
  if (schema instanceof z.ZodArray) return unwrap(schema.element);
  return [];
}

/** Looks through optional, default, transform and union to what is written in the file. */
function unwrap(schema: Schema): Schema[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return unwrap(schema.unwrap());
  if (schema instanceof z.ZodPipe) return unwrap(schema.in);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(unwrap);
  return [schema];
}

function fieldNames(schema: Schema): string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}
