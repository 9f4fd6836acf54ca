import type { z } from '@hono/zod-openapi';
import { HeadgateError, InputError, type ErrorCode } from '../core/errors.js';
import { knownError } from '../platform/known-error.js';
import { answerHeaders } from './answer-headers.js';
import { apiJson } from './json-answer.js';

/** RFC 9457, with the stable code and the request's id beside it. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly request_id: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** When nothing better is known of when something will be there again. */
const USUAL_RETRY_AFTER_SECONDS = 5;

/** The arguments of a request that did not parse: each with its path and what is wrong with it. */
export function invalidArguments(
  where: 'path' | 'query' | 'body',
  issues: readonly z.core.$ZodIssue[],
): InputError {
  const problems = issues.slice(0, 20).map((issue) => ({
    path: [where, ...issue.path.map(String)].join('.'),
    message: issue.message,
  }));
  const [first] = problems;
  return new InputError(
    'invalid_argument',
    first === undefined ? `the ${where} is not valid` : `${first.path}: ${first.message}`,
    { details: { problems } },
  );
}

/** What of an error may leave the house: a HeadgateError as it is, of anything else only that it happened. */
export function problemOf(thrown: unknown, requestId: string): Problem {
  const error = knownError(thrown);
  if (error instanceof HeadgateError && error.code !== 'invariant_broken') {
    return {
      type: `/docs/problems/${error.code}`,
      title: error.code.replaceAll('_', ' '),
      status: error.status,
      detail: error.message,
      code: error.code,
      retryable: error.retryable,
      request_id: requestId,
      ...(error.details === undefined ? {} : { details: error.details }),
    };
  }
  return {
    type: '/docs/problems/internal',
    title: 'internal error',
    status: 500,
    detail: `something went wrong on our side; the log has it under request ${requestId}`,
    code: 'internal',
    retryable: false,
    request_id: requestId,
  };
}

export function problemResponse(problem: Problem, more: Readonly<Record<string, string>> = {}): Response {
  const retryAfter = retryAfterOf(problem);
  return new Response(apiJson(problem), {
    status: problem.status,
    headers: answerHeaders(problem.request_id, 'application/problem+json', {
      ...(retryAfter === null ? {} : { 'retry-after': String(retryAfter) }),
      ...(problem.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      ...more,
    }),
  });
}

/** Whoever is turned away for now is told when to come back. */
function retryAfterOf({ status, retryable, details }: Problem): number | null {
  const said = details?.['retryAfterSeconds'];
  if (typeof said === 'number') return Math.ceil(said);
  return retryable && (status === 503 || status === 429) ? USUAL_RETRY_AFTER_SECONDS : null;
}
