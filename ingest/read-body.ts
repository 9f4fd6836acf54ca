import { isUtf8 } from 'node:buffer';
import { InputError } from '../core/errors.js';
import { parseJsonExact, splitJsonArray } from '../core/json.js';
import { isBlank, linesOf } from './files/safe-lines.js';
import {
  readEventBytes,
  readEventText,
  readEventValue,
  type ReadEvent,
  type ReadingRules,
} from './read-event.js';

/** `json` is one event or an array of them; `ndjson` is one event a line. */
export type BodyFormat = 'json' | 'ndjson';

export interface BodyEvent {
  readonly read: ReadEvent;
  /** The event as it was sent, for quarantine. Cut out only when asked, since most events never need it. */
  readonly raw: () => Uint8Array;
}

export interface BodyLimits {
  readonly bodyBytes: number;
  readonly batchEvents: number;
}

/**
 * The events of a request's body, in order. One that cannot be read is one bad event among the others.
 *
 * @throws InputError when the body as a whole can't be taken: too large, too many events, an array that breaks off;
 *   then nothing of it was taken
 */
export function readBody(
  body: Uint8Array,
  format: BodyFormat,
  rules: ReadingRules,
  limits: BodyLimits,
): BodyEvent[] {
  requireFit(body.length, limits.bodyBytes);
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const events = format === 'ndjson' ? readLines(bytes, rules, limits) : readJson(bytes, rules, limits);
  if (events.length === 0) {
    throw new InputError(
      'invalid_input',
      'the body holds no event; send one event, an array of events or NDJSON',
    );
  }
  return events;
}

function readLines(body: Buffer, rules: ReadingRules, limits: BodyLimits): BodyEvent[] {
  const lines = [...linesOf(body)].filter(({ bytes }) => !isBlank(bytes));
  requireCount(lines.length, limits.batchEvents);
  return lines.map(({ bytes }) => ({ read: readEventBytes(bytes, rules), raw: () => bytes }));
}

function readJson(body: Buffer, rules: ReadingRules, limits: BodyLimits): BodyEvent[] {
  if (!isUtf8(body)) return [{ read: readEventBytes(body, rules), raw: () => body }];
  const text = body.toString('utf8');
  if (!/^\s*\[/.test(text))
    return text.trim() === '' ? [] : [{ read: readOne(text, rules), raw: () => body }];
  return readWholeArray(text, body.length, rules, limits) ?? readElements(text, rules, limits);
}

/**
 * One parse for the whole array is several times faster than one for each element. It stands only when nothing in
 * the body needs a closer look; else the elements are read one by one, and only the bad ones are refused.
 */
function readWholeArray(
  text: string,
  sizeBytes: number,
  rules: ReadingRules,
  limits: BodyLimits,
): BodyEvent[] | null {
  if (sizeBytes > rules.maxEventBytes) return null;
  const parsed = parseJsonExact(text);
  if (!parsed.ok || !Array.isArray(parsed.value)) return null;
  const values: readonly unknown[] = parsed.value;
  requireCount(values.length, limits.batchEvents);
  let elements: readonly string[] | null = null;
  return values.map((value, index) => ({
    read: readEventValue(value, rules),
    raw: () => {
      elements ??= elementTexts(text);
      return Buffer.from(elements[index] ?? '');
    },
  }));
}

function readElements(text: string, rules: ReadingRules, limits: BodyLimits): BodyEvent[] {
  const elements = elementTexts(text);
  requireCount(elements.length, limits.batchEvents);
  return elements.map((element) => ({ read: readOne(element, rules), raw: () => Buffer.from(element) }));
}

function elementTexts(text: string): string[] {
  const split = splitJsonArray(text);
  if (split.ok) return split.elements.map(({ start, end }) => text.slice(start, end));
  throw new InputError(
    'invalid_json',
    `the body is not a JSON array: ${split.message} (at character ${split.at}); nothing of it was taken`,
  );
}

function readOne(text: string, rules: ReadingRules): ReadEvent {
  // A UTF-16 unit is at most three bytes of UTF-8, so only long texts need to be measured.
  if (text.length * 3 <= rules.maxEventBytes) return readEventText(text, rules);
  return readEventBytes(Buffer.from(text), rules);
}

function requireFit(sizeBytes: number, limitBytes: number): void {
  if (sizeBytes <= limitBytes) return;
  throw new InputError(
    'body_too_large',
    `the body has ${sizeBytes} bytes and the limit is ${limitBytes}; send smaller batches, or ingest a file`,
    { status: 413 },
  );
}

function requireCount(count: number, limit: number): void {
  if (count <= limit) return;
  throw new InputError(
    'batch_too_large',
    `the batch has ${count} events and the limit is ${limit}; send smaller batches`,
    { status: 413 },
  );
}
