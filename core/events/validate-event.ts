import type { z } from 'zod';
import { EVENT_TYPES, eventDefinition, isEventType, streamOfType, type EventType } from '../events.js';
import { STREAMS, type Stream } from '../raw-event.js';
import { didYouMean } from '../suggest.js';
import { formatInstant, tryParseInstant, type Instant } from '../time.js';
import { CORRECTION_TYPES } from './corrections.js';
import { COMPANY_SUBJECT, type SubjectRule } from './event-type.js';
import { Envelope, ENVELOPE_ATTRIBUTES, type ValidEvent } from './envelope.js';
import { problemsOfIssues, type EventProblem } from './problems.js';

export const DEFAULT_FUTURE_SKEW_MS = 300_000;

export type Validation =
  | { readonly ok: true; readonly event: ValidEvent }
  | { readonly ok: false; readonly problems: readonly [EventProblem, ...EventProblem[]] };

/**
 * Checks a parsed JSON value against the event contract. What passes is exactly what was sent: unknown fields
 * stay, nothing is coerced.
 *
 * @param futureSkewMs how far ahead of `now` a producer's clock may run
 */
export function validateEvent(
  value: unknown,
  now: Instant,
  futureSkewMs = DEFAULT_FUTURE_SKEW_MS,
): Validation {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refused([
      { path: '', code: 'not_an_object', message: 'an event is a JSON object; this is something else' },
    ]);
  }
  const parsed = Envelope.safeParse(value);
  if (!parsed.success) return refused(envelopeProblems(value, parsed.error.issues));

  const { type, subject, time, data, id, source } = parsed.data;
  if (!isEventType(type)) return refused([unknownType('type', type)]);

  const timeMicros = tryParseInstant(time);
  const problems = [
    ...timeProblems(timeMicros, now, futureSkewMs),
    ...dataProblems(type, data, ['data']),
    ...subjectProblems(eventDefinition(type)?.subject, subject, data),
    ...(isCorrection(type) ? correctionProblems(type, data) : []),
  ];
  const stream = isCorrection(type) ? streamOfCorrection(data) : streamOfType(type);
  if (problems.length > 0 || stream === null || timeMicros === null) return refused(problems);
  return {
    ok: true,
    event: { stream, id, source, type, subject, timeMicros, data, extra: unknownAttributes(value) },
  };
}

/** Where a correction goes: the stream of its target, by the target's type or by `targetStream`. */
export function streamOfCorrection(data: Readonly<Record<string, unknown>>): Stream | null {
  const byType = typeof data['targetType'] === 'string' ? streamOfType(data['targetType']) : null;
  return byType ?? STREAMS.find((stream) => stream === data['targetStream']) ?? null;
}

function isCorrection(type: string): boolean {
  return CORRECTION_TYPES.some((correction) => correction === type);
}

function refused(problems: readonly EventProblem[]): Validation {
  const [first, ...rest] = problems;
  if (first !== undefined) return { ok: false, problems: [first, ...rest] };
  return refused([
    { path: 'data.targetStream', code: 'missing_field', message: 'data.targetStream is missing' },
  ]);
}

function envelopeProblems(value: object, issues: readonly z.core.$ZodIssue[]): EventProblem[] {
  return problemsOfIssues(issues, { value, schema: Envelope, prefix: [] }).map((problem) => {
    if (problem.path === 'specversion') {
      const code = problem.code === 'missing_field' ? 'missing_field' : 'unsupported_version';
      return {
        path: 'specversion',
        code,
        message: 'specversion must be the text "1.0": send CloudEvents 1.0',
      };
    }
    if (problem.path === 'data' && 'data_base64' in value) {
      return {
        path: 'data',
        code: 'unsupported_data',
        message: 'data must be JSON; data_base64 is not read',
      };
    }
    return problem;
  });
}

function dataProblems(type: EventType, data: unknown, prefix: readonly string[]): EventProblem[] {
  const schema = eventDefinition(type)?.data;
  if (schema === undefined) return [];
  const parsed = schema.safeParse(data);
  return parsed.success ? [] : problemsOfIssues(parsed.error.issues, { value: data, schema, prefix });
}

function timeProblems(timeMicros: Instant | null, now: Instant, futureSkewMs: number): EventProblem[] {
  if (timeMicros === null || timeMicros <= now + BigInt(futureSkewMs) * 1000n) return [];
  return [
    {
      path: 'time',
      code: 'time_in_future',
      message:
        `time ${formatInstant(timeMicros)} is in the future (now is ${formatInstant(now)}, ` +
        `${futureSkewMs / 1000} s of skew are allowed); check the producer's clock, then replay the event`,
    },
  ];
}

function subjectProblems(
  rule: SubjectRule | undefined,
  subject: string,
  data: Readonly<Record<string, unknown>>,
): EventProblem[] {
  if (rule === undefined) return [];
  const expected = rule.kind === 'company' ? COMPANY_SUBJECT : data[rule.field];
  if (expected === subject || typeof expected !== 'string') return [];
  const wanted =
    rule.kind === 'company' ? `the word "${COMPANY_SUBJECT}"` : `the value of data.${rule.field}`;
  return [{ path: 'subject', code: 'wrong_subject', message: `subject of this type must be ${wanted}` }];
}

function correctionProblems(type: EventType, data: Readonly<Record<string, unknown>>): EventProblem[] {
  const { targetType, targetStream, data: newData } = data;
  if (typeof targetType !== 'string') return [];
  if (!isEventType(targetType)) return [unknownType('data.targetType', targetType)];
  if (isCorrection(targetType)) {
    if (type !== 'event.voided') {
      return [
        {
          path: 'data.targetType',
          code: 'correction_of_correction',
          message:
            'data.targetType is a correction, which can only be voided; void it and send a new amendment',
        },
      ];
    }
    if (typeof targetStream === 'string') return [];
    return [
      {
        path: 'data.targetStream',
        code: 'missing_field',
        message: `data.targetStream is missing; a correction's type names no stream, so send one of ${STREAMS.join(', ')}`,
      },
    ];
  }
  if (typeof targetStream === 'string' && targetStream !== streamOfType(targetType)) {
    return [
      {
        path: 'data.targetStream',
        code: 'unknown_value',
        message: `data.targetStream must be ${String(streamOfType(targetType))}, the stream of ${targetType}, or absent`,
      },
    ];
  }
  return type === 'event.amended' ? dataProblems(targetType, newData, ['data', 'data']) : [];
}

function unknownType(path: string, type: string): EventProblem {
  const suggestion = didYouMean(type, EVENT_TYPES);
  const advice = suggestion === '' ? '; GET /v1/schemas lists the types there are' : suggestion;
  return { path, code: 'unknown_type', message: `${path} "${type}" is not an event type${advice}` };
}

function unknownAttributes(value: object): Record<string, unknown> | null {
  const unknown = Object.entries(value).filter(([name]) => !ENVELOPE_ATTRIBUTES.has(name));
  return unknown.length === 0 ? null : Object.fromEntries(unknown);
}
