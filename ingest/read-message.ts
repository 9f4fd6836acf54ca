import { SPEC_VERSION } from '../core/events/envelope.js';
import type { EventProblem } from '../core/events/problems.js';
import { validateEvent } from '../core/events/validate-event.js';
import { writeJson } from '../core/json.js';
import { STREAMS, type RawEvent, type Stream } from '../core/raw-event.js';
import { formatInstant, midnightUtc, MIN_YEAR, MAX_YEAR, type Instant } from '../core/time.js';
import { decodeMessage, type DecodedMessage } from '../platform/log/kafka-message.js';
import { looksLikeToken } from './personal-tokens.js';
import { isSureData } from './sure-event.js';

export type ReadMessage =
  | { readonly ok: true; readonly event: RawEvent; readonly recordedAtMicros: bigint }
  | { readonly ok: false; readonly problems: readonly [EventProblem, ...EventProblem[]] };

/**
 * The most that HEADGATE_FUTURE_SKEW_SECONDS may be. The producer has held the event to its own; here its clock is the message's, for
 * ours may be another.
 */
const MAX_SKEW_MS = 86_400_000;
const EARLIEST = midnightUtc({ year: MIN_YEAR, month: 1, day: 1 });
const LATEST = midnightUtc({ year: MAX_YEAR + 1, month: 1, day: 1 });

/**
 * What a topic's message holds, validated again: the log is an edge, and anybody with access may have written to it. An event that
 * Headgate accepted passes, whatever its producer's clock, limits and catalog were.
 */
export function readMessage(value: Buffer | null, stream: Stream): ReadMessage {
  const decoded = decodeMessage(value, stream);
  if (!decoded.ok) return { ok: false, problems: [decoded.problem] };
  const { event, recordedAtMicros, data } = decoded;
  const isInTime = event.timeMicros <= recordedAtMicros + BigInt(MAX_SKEW_MS) * 1000n;
  if (isInTime && isInYears(event.timeMicros) && isSureData(event.type, event, data)) {
    return { ok: true, event, recordedAtMicros };
  }
  const [first, ...rest] = problemsOf(decoded);
  if (first === undefined) return { ok: true, event, recordedAtMicros };
  return { ok: false, problems: [first, ...rest] };
}

/**
 * A message of ours as the CloudEvent that it was, for those that were quarantined and are sent again; null for bytes that are none.
 * Personal values stay the tokens that they became.
 */
export function cloudEventOf(raw: Uint8Array): Buffer | null {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const decoded = decodeMessage(bytes, STREAMS[0]);
  return decoded.ok && isInYears(decoded.event.timeMicros) ? Buffer.from(writeJson(valueOf(decoded))) : null;
}

function problemsOf(decoded: DecodedMessage): EventProblem[] {
  const { event, recordedAtMicros } = decoded;
  if (!isInYears(event.timeMicros)) {
    return [
      {
        path: 'time',
        code: 'invalid_instant',
        message: `time must be in the years ${MIN_YEAR} to ${MAX_YEAR}`,
      },
    ];
  }
  const value = valueOf(decoded);
  const validation = validateEvent(value, recordedAtMicros, MAX_SKEW_MS);
  if (!validation.ok) return validation.problems.filter((problem) => !isOfToken(problem, value));
  const { stream } = validation.event;
  if (stream === event.stream) return [];
  return [
    {
      path: 'type',
      code: 'unknown_type',
      message: `type ${event.type} belongs to the stream ${stream}, not to ${event.stream}`,
    },
  ];
}

function valueOf({ event, data, extra }: DecodedMessage): Readonly<Record<string, unknown>> {
  const { id, source, type, subject, timeMicros } = event;
  return {
    specversion: SPEC_VERSION,
    id,
    source,
    type,
    subject,
    time: formatInstant(timeMicros),
    ...extra,
    data,
  };
}

/** A catalog may call any field personal, and its token need not fit what the schema wants there. The value did fit. */
function isOfToken({ path, code }: EventProblem, value: Readonly<Record<string, unknown>>): boolean {
  if (code === 'wrong_subject') return looksLikeTokenInside(value['data']);
  const steps = path.replaceAll(/\[(\d+)\]/g, '.$1').split('.');
  let found: unknown = value;
  for (const step of steps) {
    if (typeof found !== 'object' || found === null) return false;
    found = Reflect.get(found, step);
  }
  return looksLikeToken(found);
}

/** The field that the subject repeats may have become a token. */
function looksLikeTokenInside(data: unknown): boolean {
  return typeof data === 'object' && data !== null && Object.values(data).some(looksLikeToken);
}

function isInYears(timeMicros: Instant): boolean {
  return timeMicros >= EARLIEST && timeMicros < LATEST;
}
