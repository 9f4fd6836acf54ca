import { z } from '@hono/zod-openapi';
import type { ErrorCode } from '../core/errors.js';
import type { Scope } from '../platform/key-scopes.js';
import type { Limits } from '../platform/config.js';
import type { RequestContext } from './context.js';
import { invalidArguments } from './problem.js';
import { RawAnswer } from './raw-answer.js';

type Fields = z.ZodObject;
type Output<Schema extends z.ZodType | undefined> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/**
 * Who may ask: `public` needs no key (health, readiness, the description itself), `any_key` a key of any scope; a list needs all
 * of its scopes.
 */
export type Access = 'public' | 'any_key' | Scope | readonly Scope[];

/** The body of a request that an operation reads as bytes, with the media types it takes. */
export interface RawBody {
  readonly mediaTypes: readonly string[];
  readonly description: string;
  /** `whole`: at hand as `context.bytes`. `stream`: never held whole; read from `context.stream()`. */
  readonly read: 'whole' | 'stream';
}

/**
 * What a second write with the same Idempotency-Key gets: the first one's answer; a refusal, because the answer held a secret and
 * is kept nowhere; or another go, because repeating changes nothing anyway.
 */
export type OnRepeat = 'first answer' | 'refusal' | 'another go';

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
  readonly scope: Access;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: Params;
  /** A strict object: a parameter that is not read is an error, never ignored. */
  readonly query?: Query;
  readonly body?: Body;
  readonly rawBody?: RawBody;
  /** Default: 256 KiB. */
  readonly bodyBytes?: (limits: Limits) => number;
  readonly onRepeat?: OnRepeat;
  readonly answer: Answer;
  /** Media types that the answer may have instead of JSON. */
  readonly otherAnswers?: readonly string[];
  readonly answerStatus?: 200 | 201 | 202;
  /** Problems of its own, beyond those that any operation may answer. */
  readonly problems?: readonly ErrorCode[];
  handle(
    input: { params: Output<Params>; query: Output<Query>; body: Output<Body> },
    context: RequestContext,
  ): Promise<z.input<Answer> | RawAnswer>;
}

/** An operation with its type parameters closed over, as the router and the OpenAPI document see it. */
export interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  readonly path: string;
  /** Null: public. Else a key with all of these. */
  readonly scopes: readonly Scope[] | null;
  readonly tag: string;
  readonly summary: string;
  readonly description: string | undefined;
  readonly params: Fields | undefined;
  readonly query: Fields | undefined;
  readonly body: z.ZodType | undefined;
  readonly rawBody: RawBody | undefined;
  readonly bodyBytes: (limits: Limits) => number;
  readonly onRepeat: OnRepeat;
  readonly answer: z.ZodType;
  readonly otherAnswers: readonly string[];
  readonly answerStatus: 200 | 201 | 202;
  readonly problems: readonly ErrorCode[];
  /** @returns the answer as its schema lets it out, or one that is written already */
  answerTo(input: OperationInput, context: RequestContext): Promise<RawAnswer | { readonly answer: unknown }>;
}

/** What arrived, not yet parsed. */
export interface OperationInput {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

const NOTHING = z.strictObject({});
/** Ample for an object that a person or a program fills in. */
const USUAL_BODY_BYTES = 256 * 1024;

export function operation<
  Answer extends z.ZodType,
  Params extends Fields | undefined = undefined,
  Query extends Fields | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
>(spec: OperationSpec<Params, Query, Body, Answer>): Operation {
  return {
    method: spec.method,
    path: spec.path,
    scopes: scopesOf(spec.scope),
    tag: spec.tag,
    summary: spec.summary,
    description: spec.description,
    params: spec.params,
    query: spec.query,
    body: spec.body,
    rawBody: spec.rawBody,
    bodyBytes: spec.bodyBytes ?? (() => USUAL_BODY_BYTES),
    onRepeat: spec.onRepeat ?? (spec.method === 'get' ? 'another go' : 'first answer'),
    answer: spec.answer,
    otherAnswers: spec.otherAnswers ?? [],
    answerStatus: spec.answerStatus ?? 200,
    problems: spec.problems ?? [],
    async answerTo(input, context) {
      const parsed = {
        params: parsePart<Params>(spec.params, input.params, 'path'),
        query: parsePart<Query>(spec.query, input.query, 'query'),
        body: parsePart<Body>(spec.body, input.body, 'body'),
      };
      if (spec.query === undefined) parsePart(NOTHING, input.query, 'query');
      const answer = await spec.handle(parsed, context);
      // Parsing the answer keeps internals in: only what the schema names goes out.
      return answer instanceof RawAnswer ? answer : { answer: spec.answer.parse(answer) };
    },
  };
}

function scopesOf(access: Access): readonly Scope[] | null {
  if (access === 'public') return null;
  if (access === 'any_key') return [];
  return typeof access === 'string' ? [access] : access;
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
