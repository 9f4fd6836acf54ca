import type { z } from '@hono/zod-openapi';
import type { ErrorCode } from '../core/errors.js';
import type { Scope } from '../platform/api-keys.js';
import type { RequestContext } from './context.js';
import { invalidArguments } from './problem.js';

type Fields = z.ZodObject;
type Output<Schema extends z.ZodType | undefined> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/** The body of a request that an operation reads as bytes, with the media types it takes. */
export interface RawBody {
  readonly mediaTypes: readonly string[];
  readonly description: string;
}

/**
 * One operation of the API: its route, scope, shapes, problems and work, all in one place. The router checks the key, the
 * scope and the shapes before `handle` runs; OpenAPI is generated from the same fields.
 */
export interface OperationSpec<
  Params extends Fields | undefined,
  Query extends Fields | undefined,
  Body extends z.ZodType | undefined,
  Answer extends z.ZodType,
> {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** OpenAPI form: `/v1/leads/{leadId}/score`. */
  readonly path: string;
  /** `public` answers without a key: health, readiness, the description itself. */
  readonly scope: Scope | 'public';
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  readonly rawBody?: RawBody;
  readonly answer: Answer;
  readonly answerStatus?: 200 | 201 | 202;
  /** Problems of its own, beyond those that any operation may answer. */
  readonly problems?: readonly ErrorCode[];
  handle(
    input: { params: Output<Params>; query: Output<Query>; body: Output<Body> },
    context: RequestContext,
  ): Promise<z.input<Answer> | Response>;
}

/** An operation with its type parameters closed over, as the router and the OpenAPI document see it. */
export interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  readonly path: string;
  readonly scope: Scope | 'public';
  readonly tag: string;
  readonly summary: string;
  readonly description: string | undefined;
  readonly params: Fields | undefined;
  readonly query: Fields | undefined;
  readonly body: z.ZodType | undefined;
  readonly rawBody: RawBody | undefined;
  readonly answer: z.ZodType;
  readonly answerStatus: 200 | 201 | 202;
  readonly problems: readonly ErrorCode[];
  answerTo(input: OperationInput, context: RequestContext): Promise<Response | { readonly answer: unknown }>;
}

/** What arrived, not yet parsed. */
export interface OperationInput {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

export function operation<
  Answer extends z.ZodType,
  Params extends Fields | undefined = undefined,
  Query extends Fields | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
>(spec: OperationSpec<Params, Query, Body, Answer>): Operation {
  return {
    method: spec.method,
    path: spec.path,
    scope: spec.scope,
    tag: spec.tag,
    summary: spec.summary,
    description: spec.description,
    params: spec.params,
    query: spec.query,
    body: spec.body,
    rawBody: spec.rawBody,
    answer: spec.answer,
    answerStatus: spec.answerStatus ?? 200,
    problems: spec.problems ?? [],
    async answerTo(input, context) {
      const parsed = {
        params: parsePart<Params>(spec.params, input.params, 'path'),
        query: parsePart<Query>(spec.query, input.query, 'query'),
        body: parsePart<Body>(spec.body, input.body, 'body'),
      };
      const answer = await spec.handle(parsed, context);
      // Parsing the answer keeps internals in: only what the schema names goes out.
      return answer instanceof Response ? answer : { answer: spec.answer.parse(answer) };
    },
  };
}

function parsePart<Schema extends z.ZodType | undefined>(
  schema: Schema | undefined,
  value: unknown,
  where: 'path' | 'query' | 'body',
): Output<Schema>;
function parsePart(schema: z.ZodType | undefined, value: unknown, where: 'path' | 'query' | 'body'): unknown {
  if (schema === undefined) return undefined;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidArguments(where, parsed.error.issues);
}
