import { z, type RouteConfig } from '@hono/zod-openapi';
import { ERROR_CODES, type ErrorCode } from '../core/errors.js';
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

const ANY = ['invalid_argument', 'internal'] as const;
const WITH_KEY = ['key_missing', 'key_invalid', 'key_revoked', 'rate_limited'] as const;
const WITH_SCOPE = ['scope_missing'] as const;
const WITH_BODY = ['body_too_large', 'unsupported_media_type'] as const;
const WITH_JSON = ['invalid_json', 'invalid_utf8'] as const;
const WITH_REPEATS = ['idempotency_key_reused', 'conflict'] as const;

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

/** Every code that this operation may answer with. */
function problemCodes(operation: Operation): ErrorCode[] {
  const { scopes, body, rawBody, problems, onRepeat } = operation;
  return [
    ...new Set<ErrorCode>([
      ...problems,
      ...(scopes === null ? [] : WITH_KEY),
      ...(scopes === null || scopes.length === 0 ? [] : WITH_SCOPE),
      ...(body === undefined && rawBody === undefined ? [] : WITH_BODY),
      ...(body === undefined ? [] : WITH_JSON),
      ...(onRepeat === 'another go' ? [] : WITH_REPEATS),
      ...ANY,
    ]),
  ];
}

const IdempotencyKey = z.object({
  'idempotency-key': z.string().max(255).optional().openapi({
    description: 'With the same key and body again, the first answer is given again, for 24 hours.',
  }),
});

/** An operation as OpenAPI has it, from the very fields that the router runs by. */
export function describeOperation(operation: Operation): RouteConfig {
  const { scopes } = operation;
  const request = requestOf(operation);
  if (operation.onRepeat !== 'another go') request.headers = IdempotencyKey;
  const needs =
    scopes === null || scopes.length === 0
      ? ''
      : `Needs the scope ${scopes.map((one) => `\`${one}\``).join(' and ')}.`;
  const description = [operation.description ?? '', needs].filter((part) => part !== '').join('\n\n');
  return {
    method: operation.method,
    path: operation.path,
    operationId: operationId(operation),
    tags: [operation.tag],
    summary: operation.summary,
    ...(description === '' ? {} : { description }),
    ...(scopes === null ? {} : { security: [{ bearer: [...scopes] }] }),
    request,
    responses: {
      [operation.answerStatus]: {
        description: operation.summary,
        content: {
          'application/json': { schema: operation.answer },
          ...Object.fromEntries(
            operation.otherAnswers.map((type) => [type, { schema: { type: 'string' as const } }]),
          ),
        },
      },
      default: {
        description: `A problem (RFC 9457); its \`code\` is one of: ${problemCodes(operation).join(', ')}.`,
        content: { 'application/problem+json': { schema: ProblemShape } },
      },
    },
  };
}

/** `GET /v1/leads/{leadId}/score` → `getLeadsLeadIdScore`: what client generators name the call. */
function operationId({ method, path }: Operation): string {
  // Prometheus' path has the name of the company's own metrics.
  const words = (path === '/metrics' ? '/telemetry' : path)
    .replace(/^\/v1\//, '/')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '');
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}
