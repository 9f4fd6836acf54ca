import { Envelope } from '../../core/events/envelope.js';
import { COMPANY_SUBJECT, type SubjectRule } from '../../core/events/event-type.js';
import { typeSpec, type FieldSpec } from '../../core/events/field-specs.js';
import { eventTypes, streamOfType, type EventType } from '../../core/events.js';
import { ID_MAX_LENGTH } from '../../core/fields.js';
import type { Stream } from '../../core/raw-event.js';
import {
  instantOf,
  instantPass,
  objectBytes,
  ruleHolds,
  sqlText,
  textPass,
  type TokenOf,
} from './sure-pass.js';

const ATTRIBUTES = Object.keys(Envelope.shape);

export interface TypeSelection {
  readonly stream: Stream;
  /**
   * Yields ordinal, source, id, type, subject, time, data and is_sure for each line of the type. The verdict is a
   * column and not a WHERE, because a filter would be pushed below the extraction and repeat it for every check.
   */
  readonly sql: string;
}

/**
 * The engine's way of validating one type, made from its zod schema; null for types that always need JavaScript
 * (corrections, whose schema depends on their target).
 *
 * One look at each line takes out all tokens. The lengths of the tokens must add up to the length of the line: so
 * nothing is in it that was not checked, no key came twice, and no number was written in another way than the
 * engine writes it.
 *
 * @param lines table with `rowid` (the line's place), `line` and `type`
 */
export function selectType(type: EventType, lines: string): TypeSelection | null {
  const stream = streamOfType(type);
  if (stream === null) return null;
  const { fields, rules } = typeSpec(type);
  const names = fields.map(({ name }) => name);
  const paths = [...ATTRIBUTES.map((name) => `/${name}`), ...names.map((name) => `/data/${name}`)];
  const attribute: TokenOf = (name) => `token_${ATTRIBUTES.indexOf(name) + 1}`;
  const field: TokenOf = (name) => `token_${ATTRIBUTES.length + names.indexOf(name) + 1}`;
  const checks = [
    ...envelopeChecks(type, attribute),
    `strlen(${attribute('data')}) = ${objectBytes(fields, field)}`,
    ...rules.map((rule) => ruleHolds(rule, field)),
    ...subjectChecks(subjectRuleOf(type), attribute('subject'), field),
    ...fields.filter(isFractional).map(({ name }) => hasNoExponent(field(name))),
  ];
  const text = (name: string): string => `trim(${attribute(name)}, '"')`;
  // Each token is named once: every mention of `token[n]` would take it out of the list again.
  const tokens = paths.map((_, index) => `token[${index + 1}] AS token_${index + 1}`);
  return {
    stream,
    sql: `SELECT ordinal, ${text('source')} AS source, ${text('id')} AS id, ${sqlText(type)} AS type,
  ${text('subject')} AS subject, ${instantOf(attribute('time'))} AS time, ${attribute('data')} AS data,
  coalesce(${checks.join('\n  AND ')}, false) AS is_sure
FROM (
  SELECT ordinal, line, ${tokens.join(', ')}
  FROM (
    SELECT rowid AS ordinal, line, json_extract(line, [${paths.map(sqlText).join(', ')}])::VARCHAR[] AS token
    FROM ${lines} WHERE type = ${sqlText(type)}
  ) AS extracted
) AS named`,
  };
}

/** `$latest` is bound by the caller: now plus the allowed skew. */
function envelopeChecks(type: EventType, attribute: TokenOf): string[] {
  const keyBytes = ATTRIBUTES.reduce((sum, name) => sum + Buffer.byteLength(name) + 4, 0);
  const valueBytes = ATTRIBUTES.map((name) => `strlen(${attribute(name)})`).join(' + ');
  return [
    String.raw`NOT contains(line, '\')`,
    'NOT contains(line, chr(127))',
    `${attribute('specversion')} = '"1.0"'`,
    `${attribute('type')} = ${sqlText(`"${type}"`)}`,
    ...['id', 'source', 'subject'].map((name) => textPass(attribute(name), 1, ID_MAX_LENGTH)),
    instantPass(attribute('time')),
    `${instantOf(attribute('time'))} <= make_timestamp($latest::BIGINT)`,
    `starts_with(${attribute('data')}, '{')`,
    `strlen(line) = ${keyBytes + 1} + ${valueBytes}`,
  ];
}

function subjectRuleOf(type: EventType): SubjectRule | undefined {
  const definition = eventTypes[type];
  return 'subject' in definition ? definition.subject : undefined;
}

function subjectChecks(rule: SubjectRule | undefined, subject: string, field: TokenOf): string[] {
  if (rule === undefined) return [];
  return [`${subject} = ${rule.kind === 'company' ? sqlText(`"${COMPANY_SUBJECT}"`) : field(rule.field)}`];
}

function isFractional({ kind, element, fields }: FieldSpec): boolean {
  return (
    kind === 'quantity' ||
    kind === 'quantities' ||
    (element !== undefined && isFractional(element)) ||
    (fields ?? []).some(isFractional)
  );
}

/**
 * `5e-3` is shorter than the `0.005` that the engine writes for it, which could hide a byte nobody checked from
 * the sum of lengths. Digits beside an "e" also stand in ids, so only lines with a fraction are looked at.
 */
function hasNoExponent(token: string): string {
  return `CASE WHEN contains(${token}, '.') THEN NOT regexp_matches(line, '[0-9][eE][+-]?[0-9]') ELSE true END`;
}
