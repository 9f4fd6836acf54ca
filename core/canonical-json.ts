import { parseJsonExact, plainNumber } from './json.js';

/**
 * One text per JSON value: keys sorted by UTF-16 code unit, no spaces, numbers as exact plain decimals.
 * So `1.0` equals `1` and `1e2` equals `100`, but `"1"` is not `1`.
 *
 * @see RFC 8785 (JCS), from which only the number format differs: JCS goes through a double
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'number') return plainNumber(value);
  if (typeof value === 'bigint') return value.toString();
  if (value === undefined) return 'null';
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
}

/**
 * Canonical form of a JSON text. Total: a text that is not JSON stands for itself, so two different ones
 * differ and a conflict check never fails on what it checks.
 */
export function canonicalJsonOfText(text: string): string {
  const parsed = parseJsonExact(text);
  return parsed.ok ? canonicalJson(parsed.value) : `not json:${text}`;
}
