import { tryParseDecimal, formatDecimal } from './decimal.js';
import { parseJsonStrictly, type JsonFault } from './json-parser.js';

export type JsonParseResult = { ok: true; value: unknown } | ({ ok: false } & JsonFault);

/**
 * Texts that `JSON.parse` may change without saying so: a long number, an exponent, an escape that could be a
 * NUL or half a surrogate pair (DuckDB refuses to read those back, and then a whole run fails). Only where a number
 * can stand: nearly every UUID has an "e" between digits.
 */
const NEEDS_EXACT_PARSER = /(?:^|[:,[])\s*-?(?:\d[\d.]{15}|\d[\d.]{0,15}[eE])|\\u(?:0000|[dD][89a-fA-F])/;
/** What `JSON.stringify` writes for numbers that are very small or very large. */
const WRITTEN_EXPONENT = /\d[eE][+-]\d/;
/** An event nests four deep; this leaves room and still bounds every recursion over parsed values. */
export const MAX_JSON_DEPTH = 64;

/**
 * Reads JSON without losing a digit: a number that a double would bend (and any integer beyond 2^53) becomes a
 * string of its exact decimal. Refused, because the two engines and JavaScript would read different things:
 * two equal keys in one object, a NUL, half a surrogate pair, nesting beyond 64.
 */
export function parseJsonExact(text: string): JsonParseResult {
  if (NEEDS_EXACT_PARSER.test(text)) return parseJsonStrictly(text, MAX_JSON_DEPTH);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // JSON.parse's message differs between Node versions; the strict parser says it the same everywhere.
    return parseJsonStrictly(text, MAX_JSON_DEPTH);
  }
  return hasEachKeyOnce(text, value) ? { ok: true, value } : parseJsonStrictly(text, MAX_JSON_DEPTH);
}

/** Whether what `JSON.parse` made of the text is surely what `parseJsonExact` would; false when it would have to look closer. */
export function isParsedExactly(text: string, value: unknown): boolean {
  return !NEEDS_EXACT_PARSER.test(text) && hasEachKeyOnce(text, value);
}

/**
 * Every key is followed by `":`, so equal counts prove that no key came twice. A string that holds `":` makes the counts differ too;
 * then the strict parser decides.
 */
function hasEachKeyOnce(text: string, value: unknown): boolean {
  return countKeys(value, 0) === countKeyMarks(text);
}

/** `JSON.stringify` with numbers in plain notation: 0.0000001, never 1e-7, which not every reader of SQL takes. */
export function writeJson(value: unknown): string {
  const text = JSON.stringify(value);
  return WRITTEN_EXPONENT.test(text) ? writePlainly(value) : text;
}

/** A number as plain decimal text: what `writeJson` puts down and canonical JSON compares. */
export function plainNumber(value: number): string {
  const decimal = tryParseDecimal(String(value));
  // JSON knows neither NaN nor infinity; JSON.stringify writes null for them, so do we.
  return decimal === null ? 'null' : formatDecimal(decimal);
}

export type JsonArraySplit =
  | { ok: true; elements: readonly { readonly start: number; readonly end: number }[] }
  | ({ ok: false } & JsonFault);

/**
 * Finds where each element of a top-level array begins and ends, so that one bad event is one bad event and the
 * bytes that came are the bytes that quarantine keeps. What is inside an element is not looked at.
 */
export function splitJsonArray(text: string): JsonArraySplit {
  const open = skipSpace(text, 0);
  if (text[open] !== '[') return { ok: false, message: 'expected "["', at: open };
  const elements: { start: number; end: number }[] = [];
  let start = skipSpace(text, open + 1);
  if (text[start] === ']') return endOfArray(text, start, elements);
  for (;;) {
    const end = endOfElement(text, start);
    if (end === -1)
      return { ok: false, message: 'the array is not closed; is the end missing?', at: text.length };
    elements.push({ start, end: trimmedEnd(text, start, end) });
    if (text[end] === ']') return endOfArray(text, end, elements);
    start = skipSpace(text, end + 1);
  }
}

function endOfArray(
  text: string,
  close: number,
  elements: readonly { start: number; end: number }[],
): JsonArraySplit {
  const rest = skipSpace(text, close + 1);
  return rest === text.length
    ? { ok: true, elements }
    : { ok: false, message: 'something follows the array', at: rest };
}

/** Position of the comma or bracket that ends the element, or -1. */
function endOfElement(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') {
      at = endOfString(text, at);
      if (at === -1) return -1;
    } else if (character === '{' || character === '[') {
      depth += 1;
    } else if (character === '}' || character === ']') {
      if (depth === 0) return character === ']' ? at : -1;
      depth -= 1;
    } else if (character === ',' && depth === 0) {
      return at;
    }
  }
  return -1;
}

function endOfString(text: string, open: number): number {
  let at = open + 1;
  for (;;) {
    at = text.indexOf('"', at);
    if (at === -1) return -1;
    let backslashes = 0;
    while (text[at - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return at;
    at += 1;
  }
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at += 1;
  return at;
}

function trimmedEnd(text: string, start: number, end: number): number {
  let at = end;
  while (at > start && skipSpace(text, at - 1) >= end) at -= 1;
  return at;
}

/** Number of keys in a parsed value; NaN (equal to nothing) when it nests too deep. */
function countKeys(value: unknown, depth: number): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth >= MAX_JSON_DEPTH) return Number.NaN;
  let count = 0;
  if (Array.isArray(value)) {
    for (const element of value) count += countKeys(element, depth + 1);
    return count;
  }
  for (const member of Object.values(value)) count += 1 + countKeys(member, depth + 1);
  return count;
}

function countKeyMarks(text: string): number {
  let count = 0;
  for (let at = text.indexOf(':'); at !== -1; at = text.indexOf(':', at + 1)) {
    let before = at - 1;
    while (before >= 0 && isSpace(text.charCodeAt(before))) before -= 1;
    if (text.charCodeAt(before) === 0x22) count += 1;
  }
  return count;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function writePlainly(value: unknown): string {
  if (typeof value === 'number') return plainNumber(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(writePlainly).join(',')}]`;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${writePlainly(member)}`).join(',')}}`;
}
