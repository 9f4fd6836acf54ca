import { z, type RouteConfig } from '@hono/zod-openapi';
import { ERROR_CODES } from '../core/errors.js';
import type { Operation } from './operation.js';

const ProblemShape = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(ERROR_CODES),
    retryable: z.boolean(),
    request_id: z.string(),
    details: z.record(z.string(), z.unknown()).optional(),
  })
  .openapi('Problem');

const ANY = ['invalid_argument', 'rate_limited', 'internal'] as const;
const WITH_KEY = ['key_missing', 'key_invalid', 'key_revoked', 'scope_missing'] as const;

function requestOf(operation: Operation): NonNullable<RouteConfig['request']> {
  const request: NonNullable<RouteConfig['request']> = {};
  if (operation.params !== undefined) request.params = operation.params;
  if (operation.query !== undefined) request.query = operation.query;
  if (operation.body !== undefined)
    request.body = { content: { 'application/json': { schema: operation.body } } };
  if (operation.rawBody !== undefined) {
    const { mediaTypes, description } = operation.rawBody;
    request.body = {
      description,
      content: Object.fromEntries(mediaTypes.map((type) => [type, { schema: { type: 'string' as const } }])),
    };
  }
  return request;
}

/** An operation as OpenAPI has it, from the very fields that the router runs by. */
export function describeOperation(operation: Operation): RouteConfig {
  const codes = [...operation.problems, ...(operation.scope === 'public' ? [] : WITH_KEY), ...ANY];
  return {
    method: operation.method,
    path: operation.path,
    tags: [operation.tag],
    summary: operation.summary,
    ...(operation.description === undefined ? {} : { description: operation.description }),
    ...(operation.scope === 'public' ? {} : { security: [{ bearer: [operation.scope] }] }),
    request: requestOf(operation),
    responses: {
      [operation.answerStatus]: {
        description: operation.summary,
        content: { 'application/json': { schema: operation.answer } },
      },
      default: {
        description: `A problem (RFC 9457); its \`code\` is one of: ${codes.join(', ')}.`,
        content: { 'application/problem+json': { schema: ProblemShape } },
      },
    },
  };
}
