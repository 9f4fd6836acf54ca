import { CURRENCY_CODES } from '../../core/currencies.js';
import type { FieldSpec } from '../../core/events/field-specs.js';
import { TEXT_MAX_LENGTH, type FieldRule } from '../../core/fields.js';

/**
 * SQL that is true only for JSON tokens that the field's zod schema surely takes, and that JavaScript would write
 * back the same way. False and NULL both mean "let zod decide", so a predicate may refuse what zod takes, never
 * the other way round.
 *
 * All of it assumes a line without backslashes and DEL: then the text between a token's quotes is the value.
 */

/** Inside a double's 15 sure digits; no exponent, no trailing zero: such a number has one way to be written. */
const NUMBER = String.raw`(?:0|[1-9][0-9]{0,14}|(?:0|[1-9][0-9]{0,8})\.[0-9]{0,5}[1-9])`;
const WHOLE = '(?:0|[1-9][0-9]{0,14})';
const WHOLE_POSITIVE = '[1-9][0-9]{0,14}';
const DIGITS = '[0-9]{1,18}';
const DECIMAL_DIGITS = String.raw`[0-9]{1,18}(?:\.[0-9]{1,12})?`;
const YEAR = '(?:19[0-9]{2}|2[0-2][0-9]{2})';
const DATE = `${YEAR}-[0-9]{2}-[0-9]{2}`;
/** Only UTC: DuckDB's cast to TIMESTAMP leaves an offset out. */
const INSTANT = String.raw`${DATE}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?Z`;
const METER = '"[A-Za-z][^"]*"';
const QUANTITIES_MAX_BYTES = 200;

export function surePass(spec: FieldSpec, token: string): string {
  const present = spec.personal === undefined ? presentPass(spec, token) : 'false';
  return spec.optional
    ? `(${token} IS NULL OR ${token} = 'null' OR ${present})`
    : `coalesce(${present}, false)`;
}

function presentPass(spec: FieldSpec, token: string): string {
  const signed = spec.signed === true ? '-?' : '';
  switch (spec.kind) {
    case 'text':
      return textPass(token, 0, spec.maxLength ?? TEXT_MAX_LENGTH);
    case 'id':
      return textPass(token, 1, spec.maxLength ?? TEXT_MAX_LENGTH);
    case 'enum':
      return isOneOf(token, spec.values ?? []);
    case 'currency':
      return isOneOf(token, CURRENCY_CODES);
    case 'boolean':
      return `${token} IN ('true', 'false')`;
    case 'integer':
      return matches(token, spec.min === 0 ? WHOLE : WHOLE_POSITIVE);
    case 'minor':
    case 'micros':
      return matches(token, `${signedNumber(signed, WHOLE)}|"${signed}${DIGITS}"`);
    case 'quantity':
      return matches(token, `${signedNumber(signed, NUMBER)}|"${signed}${DECIMAL_DIGITS}"`);
    case 'rate':
      return `(${matches(token, `"${DECIMAL_DIGITS}"`)} AND regexp_matches(${token}, '[1-9]'))`;
    case 'quantities':
      return quantitiesPass(token);
    case 'instant':
      return `(${matches(token, `"${INSTANT}"`)} AND ${instantOf(token)} IS NOT NULL)`;
    case 'date':
      return `(${matches(token, `"(?:${DATE}|${INSTANT})"`)} AND ${instantOf(token)} IS NOT NULL)`;
    case 'list':
      return listPass(spec, token);
    case 'percent':
    case 'zone':
    case 'object':
    case 'json':
      return 'false';
  }
}

/** `-0` is written back as 0, so a sign needs a number other than zero behind it. */
function signedNumber(signed: string, pattern: string): string {
  return signed === ''
    ? pattern
    : String.raw`${pattern}|-(?:[1-9][0-9]{0,14}|[1-9][0-9]{0,8}\.[0-9]{0,5}[1-9])`;
}

/** Bytes are never fewer than UTF-16 units, so a text within the limit in bytes is within it for zod. */
function textPass(token: string, minBytes: number, maxBytes: number): string {
  return `(starts_with(${token}, '"') AND strlen(${token}) BETWEEN ${minBytes + 2} AND ${maxBytes + 2})`;
}

function isOneOf(token: string, words: readonly string[]): string {
  return `${token} IN (${words.map((word) => sqlText(`"${word}"`)).join(', ')})`;
}

function matches(token: string, pattern: string): string {
  return `regexp_full_match(${token}, ${sqlText(pattern)})`;
}

/** A map that names one meter twice must go to the parser that refuses it. */
function quantitiesPass(token: string): string {
  const member = `${METER}:(?:${NUMBER}|"${DECIMAL_DIGITS}")`;
  const isMap = matches(token, String.raw`\{${member}(?:,${member})*\}`);
  const isDistinct = `(NOT contains(${token}, ',') OR len(list_distinct(json_keys(${token}))) = len(json_keys(${token})))`;
  return `(strlen(${token}) <= ${QUANTITIES_MAX_BYTES} AND ${isMap} AND ${isDistinct})`;
}

/** Small lists of words or of flat objects; whatever is deeper goes to zod. */
function listPass({ element }: FieldSpec, token: string): string {
  if (element === undefined) return 'false';
  if (element.kind === 'enum') {
    const word = `(?:${(element.values ?? []).map((value) => `"${value}"`).join('|')})`;
    return `(strlen(${token}) <= 1000 AND ${matches(token, String.raw`\[(?:${word}(?:,${word})*)?\]`)})`;
  }
  if (element.kind !== 'object' || element.fields === undefined) return 'false';
  const structure = `[{${element.fields.map(({ name }) => `"${name}":"JSON"`).join(',')}}]`;
  const field = (name: string): string => `element."${name}"::VARCHAR`;
  const checks = [
    ...element.fields.map((spec) => surePass(spec, field(spec.name))),
    ...(element.rules ?? []).map((rule) => ruleHolds(rule, field)),
  ].join(' AND ');
  const names = element.fields.map(({ name }) => name);
  const elements = `json_transform(${token}, ${sqlText(structure)})`;
  // Evaluated once: the struct carries the list to both of its readers.
  return (
    `(starts_with(${token}, '[{') AND list_transform([${elements}], list -> ` +
    `len(list) <= 1000 AND strlen(${token}) = 1 + list_sum(list_transform(list, element -> ` +
    `CASE WHEN ${checks} THEN 1 + ${objectBytes(names, field)} END))` +
    // A sum leaves NULL out, and an element that is not sure makes it too short, so the lengths differ.
    `)[1])`
  );
}

/** Bytes of a compact object that holds these fields, each at most once, and nothing else. */
export function objectBytes(names: readonly string[], token: (name: string) => string): string {
  const members = names.map((name) => `coalesce(strlen(${token(name)}) + ${Buffer.byteLength(name) + 4}, 0)`);
  return `1 + ${members.join(' + ')}`;
}

/** SQL for a rule between fields, as `checkRule` in core/fields.ts has it for values. */
export function ruleHolds(rule: FieldRule, token: (name: string) => string): string {
  const has = (name: string): string => `(${token(name)} IS NOT NULL AND ${token(name)} <> 'null')`;
  const count = (names: readonly string[]): string =>
    names.map((name) => `${has(name)}::INTEGER`).join(' + ');
  switch (rule.kind) {
    case 'needs':
      return `(NOT ${has(rule.field)} OR ${has(rule.companion)})`;
    case 'any_of':
      return `(${count(rule.fields)} >= 1)`;
    case 'exactly_one':
      return `(${count(rule.fields)} = 1)`;
    case 'ordered':
      return `(NOT ${has(rule.start)} OR NOT ${has(rule.end)} OR ${instantOf(token(rule.end))} >= ${instantOf(token(rule.start))})`;
    case 'whole_number_when': {
      const number = `try_cast(trim(${token(rule.field)}, '"') AS INTEGER)`;
      const isWhole = `(${matches(token(rule.field), `"?${WHOLE}"?`)} AND ${number} <= ${rule.max})`;
      return `(coalesce(${token(rule.when)}, '') <> ${sqlText(`"${rule.is}"`)} OR coalesce(${isWhole}, false))`;
    }
  }
}

/** The instant in a token that is known to be a date or an instant in UTC. */
export function instantOf(token: string): string {
  return `try_cast(trim(${token}, '"') AS TIMESTAMP)`;
}

export function isSureInstant(token: string): string {
  return matches(token, `"${INSTANT}"`);
}

export function isSureId(token: string, maxBytes: number): string {
  return textPass(token, 1, maxBytes);
}

export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
