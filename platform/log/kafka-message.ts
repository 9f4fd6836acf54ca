import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import type { EventProblem, EventProblemCode } from '../../core/events/problems.js';
import { ID_MAX_LENGTH, ID_PATTERN } from '../../core/fields.js';
import { isParsedExactly, parseJsonExact, writeJson } from '../../core/json.js';
import type { RawEvent, Stream } from '../../core/raw-event.js';

const VERSION = 1;
const MICROS = /^-?\d{1,17}$/;
const MEMBERS = 8;
const DATA_MEMBER = ',"data":{';

type JsonObject = Readonly<Record<string, unknown>>;

const JsonObject = z.custom<JsonObject>(isObject, { error: 'must be an object' });
const Id = z.string().min(1).max(ID_MAX_LENGTH).regex(ID_PATTERN, 'must not hold a control character');
const Micros = z.string().regex(MICROS, 'must be microseconds since the epoch, as digits');

/**
 * What a message on a topic holds, as JSON. It is what will be stored: personal values are tokens already. Times are digits in a text,
 * since not every reader keeps such numbers whole.
 */
const Message = z.object({
  v: z.literal(VERSION),
  recordedAt: Micros,
  time: Micros,
  source: Id,
  id: Id,
  type: Id,
  subject: Id,
  /** Attributes of the envelope that the contract does not know; absent when there are none. */
  extra: JsonObject.optional(),
  data: JsonObject,
});

export interface DecodedMessage {
  readonly ok: true;
  readonly event: RawEvent;
  readonly recordedAtMicros: bigint;
  /** `event.data`, parsed. */
  readonly data: JsonObject;
  /** `event.extra`, parsed. */
  readonly extra: JsonObject | null;
}

export type Decoding = DecodedMessage | { readonly ok: false; readonly problem: EventProblem };

/** `data` comes last, where it can be cut out again byte for byte. */
export function encodeMessage(event: RawEvent, recordedAtMicros: bigint): Buffer {
  const extra = event.extra === null ? '' : `"extra":${event.extra},`;
  return Buffer.from(
    `{"v":${VERSION},"recordedAt":"${recordedAtMicros}","time":"${event.timeMicros}",` +
      `"source":${JSON.stringify(event.source)},"id":${JSON.stringify(event.id)},` +
      `"type":${JSON.stringify(event.type)},"subject":${JSON.stringify(event.subject)},${extra}"data":${event.data}}`,
  );
}

/** Whether it is a message of ours, in form; whether its event is one is for others to say. */
export function decodeMessage(value: Buffer | null, stream: Stream): Decoding {
  if (value === null || value.length === 0) return refused('', 'not_an_object', 'the message is empty');
  if (!isUtf8(value)) return refused('', 'invalid_utf8', 'the message is not UTF-8');
  const text = value.toString('utf8');
  return decodeQuickly(text, stream) ?? decodeSlowly(text, stream);
}

/** What `encodeMessage` wrote, without an `extra`, in a fifth of the time that zod takes; null for all else. */
function decodeQuickly(text: string, stream: Stream): DecodedMessage | null {
  const value = parsed(text);
  if (!isObject(value) || value['v'] !== VERSION || !isParsedExactly(text, value)) return null;
  const { recordedAt, time, source, id, type, subject, data } = value;
  const names = Object.keys(value);
  if (names.length !== MEMBERS || names[MEMBERS - 1] !== 'data' || !text.endsWith('}')) return null;
  if (!isId(source) || !isId(id) || !isId(type) || !isId(subject) || !isObject(data)) return null;
  if (!isMicros(recordedAt) || !isMicros(time)) return null;
  // Whatever precedes is texts and a number, and no text holds a bare quote: the first such mark is where `data` begins.
  const start = text.indexOf(DATA_MEMBER);
  if (start === -1) return null;
  const dataText = text.slice(start + DATA_MEMBER.length - 1, -1);
  return {
    ok: true,
    event: { stream, source, id, type, subject, timeMicros: BigInt(time), data: dataText, extra: null },
    recordedAtMicros: BigInt(recordedAt),
    data,
    extra: null,
  };
}

function decodeSlowly(text: string, stream: Stream): Decoding {
  const json = parseJsonExact(text);
  if (!json.ok) {
    return refused('', 'invalid_json', `the message is not JSON: ${json.message} (at character ${json.at})`);
  }
  if (isObject(json.value) && json.value['v'] !== VERSION) return otherVersion(json.value['v']);
  const message = Message.safeParse(json.value);
  if (!message.success) {
    const [issue] = message.error.issues;
    const path = issue?.path.join('.') ?? '';
    return refused(
      path,
      'wrong_type',
      `the message is not one that Headgate wrote: ${path} ${issue?.message ?? ''}`,
    );
  }
  const { recordedAt, time, source, id, type, subject, data, extra } = message.data;
  return {
    ok: true,
    event: {
      ...{ stream, source, id, type, subject, timeMicros: BigInt(time), data: writeJson(data) },
      extra: extra === undefined ? null : writeJson(extra),
    },
    recordedAtMicros: BigInt(recordedAt),
    data,
    extra: extra ?? null,
  };
}

function otherVersion(version: unknown): Decoding {
  const advice =
    typeof version === 'number' && version > VERSION
      ? 'a newer Headgate wrote it; upgrade this process, then replay the message'
      : 'Headgate did not write it; send events to POST /v1/events, which writes to the topic';
  return refused('v', 'unsupported_version', `v must be ${VERSION}: ${advice}`);
}

function refused(path: string, code: EventProblemCode, message: string): Decoding {
  return { ok: false, problem: { path, code, message } };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length <= ID_MAX_LENGTH && ID_PATTERN.test(value);
}

function isMicros(value: unknown): value is string {
  return typeof value === 'string' && MICROS.test(value);
}
