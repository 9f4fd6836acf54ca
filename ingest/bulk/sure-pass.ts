import { CURRENCY_CODES } from '../../core/currencies.js';
import type { FieldSpec } from '../../core/events/field-specs.js';
import { TEXT_MAX_LENGTH, type FieldRule } from '../../core/fields.js';

/*
 * SQL that is true only for JSON tokens that the field's zod schema surely takes, and that JavaScript would write
 * back the same way. False and NULL both mean "let zod decide", so a predicate may refuse what zod takes, never
 * the other way round.
 *
 * All of it assumes a line without backslashes and DEL: then the text between a token's quotes is the value. Tokens
 * come from the engine's parser, so their first byte tells their kind. The engine evaluates both sides of AND and
 * OR for every row, but only the branch taken of a CASE: what is costly stands behind a WHEN.
 */

/** Inside a double's 15 sure digits; no exponent, no trailing zero: such a number has one way to be written. */
const NUMBER = String.raw`(?:0|[1-9][0-9]{0,14}|(?:0|[1-9][0-9]{0,8})\.[0-9]{0,5}[1-9])`;
const MAX_SURE_DIGITS = 15;
const DIGITS = '[0-9]{1,18}';
const DECIMAL_DIGITS = String.raw`[0-9]{1,18}(?:\.[0-9]{1,12})?`;
const METER = '"[A-Za-z][^"]*"';
const QUANTITIES_MAX_BYTES = 200;
const WORDS_MAX_BYTES = 1_000;
const MAX_ELEMENTS = 1_000;
/** Tried before the whole list, which costs half a microsecond a row. */
const COMMON_CURRENCIES = ['USD', 'EUR', 'GBP'];

const DATE = '[12][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]';
const TIME = 'T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]';
const MILLIS = '.[0-9][0-9][0-9]';
const FRACTIONAL_INSTANT = String.raw`"${DATE}${TIME}\.[0-9]{1,6}Z"`;

export type TokenOf = (name: string) => string;

/**
 * Bytes that the field takes up in a compact object, its key and comma included; 0 when it is absent; NULL when it
 * is not sure. A sum of these that equals the object's length proves that nothing else is in it.
 */
export function memberBytes(spec: FieldSpec, token: string): string {
  const keyBytes = Buffer.byteLength(spec.name) + 4;
  const present = `WHEN ${presentPass(spec, token)} THEN strlen(${token}) + ${keyBytes}`;
  if (!spec.optional) return `CASE ${present} END`;
  const absent = `WHEN ${token} IS NULL THEN 0`;
  return `CASE ${absent} ${present} WHEN ${token} = 'null' THEN ${keyBytes + 4} END`;
}

/** Bytes of a compact object of these fields; NULL when one is not sure. */
export function objectBytes(fields: readonly FieldSpec[], token: TokenOf): string {
  return ['1', ...fields.map((spec) => memberBytes(spec, token(spec.name)))].join(' + ');
}

/** For a token that is there and not null. */
function presentPass(spec: FieldSpec, token: string): string {
  if (spec.personal !== undefined) return 'false';
  const isSigned = spec.signed === true;
  switch (spec.kind) {
    case 'text':
      return textPass(token, 0, spec.maxLength ?? TEXT_MAX_LENGTH);
    case 'id':
      return textPass(token, 1, spec.maxLength ?? TEXT_MAX_LENGTH);
    case 'enum':
      return isOneOf(token, spec.values ?? []);
    case 'currency':
      return either(isOneOf(token, COMMON_CURRENCIES), isOneOf(token, CURRENCY_CODES));
    case 'boolean':
      return `${token} IN ('true', 'false')`;
    case 'integer':
      return wholePass(token, spec.min ?? 1);
    case 'minor':
    case 'micros':
      return either(wholePass(token, 0), matches(token, minorPattern(isSigned)));
    case 'quantity':
      return either(wholePass(token, 0), matches(token, quantityPattern(isSigned)));
    case 'rate':
      return `(${matches(token, `"${DECIMAL_DIGITS}"`)} AND regexp_matches(${token}, '[1-9]'))`;
    case 'quantities':
      return quantitiesPass(token);
    case 'instant':
      return instantPass(token);
    case 'date':
      return either(datePass(token), instantPass(token));
    case 'list':
      return listPass(spec, token);
    case 'percent':
    case 'zone':
    case 'object':
    case 'json':
      return 'false';
  }
}

/** Bytes are never fewer than UTF-16 units, so a text within the limit in bytes is within it for zod. */
export function textPass(token: string, minBytes: number, maxBytes: number): string {
  // Nothing but a text begins with a character before "#".
  return `(${token} < '#' AND strlen(${token}) BETWEEN ${minBytes + 2} AND ${maxBytes + 2})`;
}

/** A number from 0 that is written in digits alone. */
function wholePass(token: string, min: number): string {
  const isDigits = `${token} >= '${min > 0 ? 1 : 0}' AND ${token} < ':'`;
  const isWhole = `NOT contains(${token}, '.') AND NOT contains(${token}, 'e') AND NOT contains(${token}, 'E')`;
  return `(${isDigits} AND strlen(${token}) <= ${MAX_SURE_DIGITS} AND ${isWhole})`;
}

function minorPattern(isSigned: boolean): string {
  return isSigned ? `-[1-9][0-9]{0,14}|"-?${DIGITS}"` : `"${DIGITS}"`;
}

/** `-0` is written back as 0, so a sign needs another number than zero behind it. */
function quantityPattern(isSigned: boolean): string {
  const text = `"${isSigned ? '-?' : ''}${DECIMAL_DIGITS}"`;
  return isSigned
    ? String.raw`${NUMBER}|-[1-9][0-9]{0,8}(?:\.[0-9]{0,5}[1-9])?|${text}`
    : `${NUMBER}|${text}`;
}

function isOneOf(token: string, words: readonly string[]): string {
  return `${token} IN (${words.map((word) => sqlText(`"${word}"`)).join(', ')})`;
}

function matches(token: string, pattern: string): string {
  return `regexp_full_match(${token}, ${sqlText(pattern)})`;
}

/** The second is only evaluated where the first does not hold. */
function either(first: string, second: string): string {
  return `CASE WHEN ${first} THEN true ELSE ${second} END`;
}

/** In UTC: DuckDB's cast leaves an offset out, so zod takes those. A GLOB costs a tenth of a regular expression. */
export function instantPass(token: string): string {
  const isShaped = either(
    `${token} GLOB '"${DATE}${TIME}${MILLIS}Z"'`,
    either(`${token} GLOB '"${DATE}${TIME}Z"'`, matches(token, FRACTIONAL_INSTANT)),
  );
  const isHour = `substring(${token}, 13, 2) < '24'`;
  return `(${isShaped} AND ${isHour} AND ${inYears(token)} AND ${instantOf(token)} IS NOT NULL)`;
}

function datePass(token: string): string {
  return `(${token} GLOB '"${DATE}"' AND ${inYears(token)} AND ${instantOf(token)} IS NOT NULL)`;
}

/** MIN_YEAR to MAX_YEAR of core/time.ts. */
function inYears(token: string): string {
  return `${token} >= '"1900' AND ${token} < '"2300'`;
}

/** A map that names one meter twice must go to the parser that refuses it. */
function quantitiesPass(token: string): string {
  const isSingle = matches(token, String.raw`\{${METER}:(?:${NUMBER}|"${DECIMAL_DIGITS}")\}`);
  const member = `${METER}:(?:${NUMBER}|"${DECIMAL_DIGITS}")`;
  const isMap = matches(token, String.raw`\{${member}(?:,${member})+\}`);
  const isDistinct = `len(list_distinct(json_keys(${token}))) = len(json_keys(${token}))`;
  const isSeveral = `CASE WHEN ${isMap} THEN ${isDistinct} END`;
  return `(strlen(${token}) <= ${QUANTITIES_MAX_BYTES} AND ${either(isSingle, isSeveral)})`;
}

/** Lists of words, or of objects whose fields are all plain; whatever is deeper goes to zod. */
function listPass({ element }: FieldSpec, token: string): string {
  if (element === undefined) return 'false';
  if (element.kind === 'enum') {
    const word = `(?:${(element.values ?? []).map((value) => `"${value}"`).join('|')})`;
    const isList = matches(token, String.raw`\[(?:${word}(?:,${word})*)?\]`);
    return `(strlen(${token}) <= ${WORDS_MAX_BYTES} AND ${isList})`;
  }
  if (element.kind !== 'object' || element.fields === undefined) return 'false';
  const structure = `[{${element.fields.map(({ name }) => `"${name}":"JSON"`).join(',')}}]`;
  const field: TokenOf = (name) => `element."${name}"::VARCHAR`;
  const rules = (element.rules ?? []).map((rule) => ruleHolds(rule, field));
  const bytes = `1 + ${objectBytes(element.fields, field)}`;
  const elementBytes = rules.length === 0 ? bytes : `CASE WHEN ${rules.join(' AND ')} THEN ${bytes} END`;
  // An element that is not sure counts nothing, so the lengths differ.
  return `CASE WHEN starts_with(${token}, '[{') THEN list_transform(
    [json_transform(${token}, ${sqlText(structure)})],
    list -> len(list) <= ${MAX_ELEMENTS} AND
      strlen(${token}) = 1 + list_sum(list_transform(list, element -> ${elementBytes})))[1] END`;
}

/** SQL for a rule between fields, as `checkRule` in core/fields.ts has it for values. */
export function ruleHolds(rule: FieldRule, token: TokenOf): string {
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
      return `CASE WHEN ${has(rule.start)} AND ${has(rule.end)}
        THEN ${instantOf(token(rule.end))} >= ${instantOf(token(rule.start))} ELSE true END`;
    case 'whole_number_when': {
      const number = `try_cast(trim(${token(rule.field)}, '"') AS INTEGER)`;
      const isWhole = `${matches(token(rule.field), '"?(?:0|[1-9][0-9]{0,14})"?')} AND ${number} <= ${rule.max}`;
      return `CASE WHEN ${token(rule.when)} = ${sqlText(`"${rule.is}"`)} THEN ${isWhole} ELSE true END`;
    }
  }
}

/** The instant in a token that is known to be a date or an instant in UTC. */
export function instantOf(token: string): string {
  return `try_cast(trim(${token}, '"') AS TIMESTAMP)`;
}

export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
