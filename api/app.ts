import { randomUUID } from 'node:crypto';
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { HeadgateError, InputError, RefusedError } from '../core/errors.js';
import { dashboardRoutes } from './dashboards/routes.js';
import { createAuthentication, requireScopes, type Authenticate } from './authentication.js';
import type { RequestContext } from './context.js';
import { docsRoutes } from './docs-page.js';
import { describeOperation } from './openapi.js';
import { createInstruments, type Instruments } from './instruments.js';
import { AnswerCache } from './metrics/answer-cache.js';
import type { Operation } from './operation.js';
import { operations } from './operations.js';
import { problemOf, problemResponse } from './problem.js';
import { createRateLimit, type RateLimit } from './rate-limit.js';
import {
  mediaTypeOf,
  parseJsonBody,
  readWhole,
  requireMediaType,
  requireStorableText,
  streamOf,
} from './request-body.js';
import { createRouteTable, honoPath } from './route-table.js';
import type { Services } from './services.js';
import { respond } from './write-answer.js';

/** Ids that callers send are kept when they are harmless in a log line. */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;
/** Some ten thousand usual answers, in about 32 MB. */
const ANSWERS_LENGTH = 16 * 1024 * 1024;
/** Methods and paths that callers make up would be labels without end. */
const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const NO_ROUTE = 'none';
const WHERE = /^where\[([a-z][a-z_]{0,39})\]$/;

interface House {
  readonly services: Services;
  readonly authenticate: Authenticate;
  readonly limitRate: RateLimit;
  readonly answers: AnswerCache;
  readonly instruments: Instruments;
}

/** Query parameters as an object; `where[plan]=growth` becomes `where: { plan: 'growth' }`. */
function queryOf(context: Context): Record<string, unknown> {
  const query: [string, unknown][] = [];
  const where: [string, string][] = [];
  for (const [name, values] of Object.entries(context.req.queries())) {
    const [value, second] = values;
    if (value === undefined) continue;
    if (second !== undefined) {
      throw new InputError('invalid_argument', `query.${name.slice(0, 80)}: given twice; give it once`);
    }
    const dimension = WHERE.exec(name)?.[1];
    if (dimension === undefined) query.push([name, value]);
    else where.push([dimension, value]);
  }
  if (where.length > 0) query.push(['where', Object.fromEntries(where)]);
  return Object.fromEntries(query);
}

async function readBytes(operation: Operation, request: Request, limit: number): Promise<Uint8Array> {
  const { body, rawBody } = operation;
  if (rawBody !== undefined) requireMediaType(request, rawBody.mediaTypes);
  if (rawBody?.read === 'stream' || (body === undefined && rawBody === undefined)) return new Uint8Array(0);
  const bytes = await readWhole(request, limit);
  if (body !== undefined && bytes.length > 0) requireMediaType(request, ['application/json']);
  return bytes;
}

/** From a request to its answer: who asks, may they, how often, what for; then the work. */
async function answerRequest(
  operation: Operation,
  context: Context,
  requestId: string,
  { services, authenticate, limitRate, answers, instruments }: House,
): Promise<Response> {
  const request = context.req.raw;
  const key = operation.scopes === null ? null : await authenticate(request);
  if (key !== null) {
    await limitRate(key);
    requireScopes(key, operation.scopes ?? []);
  }
  const limit = operation.bodyBytes(services.config.limits);
  const query = queryOf(context);
  const bytes = await readBytes(operation, request, limit);
  const input = {
    params: context.req.param(),
    query,
    body: operation.body === undefined ? undefined : parseJsonBody(bytes),
  };
  requireStorableText(input);
  const requestContext: RequestContext = {
    services,
    instruments,
    answers,
    key,
    requestId,
    now: services.clock(),
    // No getter: an object literal with one gets a hidden class of its own, and keeps the request until the next full collection.
    log: () => services.logger.child({ requestId, operation: operation.path }),
    bytes,
    header: (name) => request.headers.get(name),
    mediaType: mediaTypeOf(request),
    stream: () => streamOf(request, limit),
  };
  return respond(operation, input, requestContext, request);
}

/** Gives the request its id, turns whatever is thrown into a problem, and logs both. */
async function exchange(
  context: Context,
  route: string,
  { services: { logger }, instruments }: House,
  work: (requestId: string) => Promise<Response>,
): Promise<Response> {
  const startedMs = performance.now();
  const sent = context.req.header('x-request-id');
  const requestId = sent !== undefined && REQUEST_ID.test(sent) ? sent : randomUUID();
  const { method, path } = context.req;
  let response: Response;
  try {
    response = await work(requestId);
  } catch (error) {
    const problem = problemOf(error, requestId);
    const isOurs = !(error instanceof HeadgateError) || problem.status === 500;
    if (isOurs) logger.error({ error, requestId }, 'request failed');
    response = problemResponse(problem, allowOf(error));
  }
  const durationMs = Math.round((performance.now() - startedMs) * 100) / 100;
  logger.info({ requestId, method, path, status: response.status, durationMs }, 'request');
  instruments.requestDuration.record(durationMs / 1000, {
    'http.request.method': KNOWN_METHODS.has(method) ? method : '_OTHER',
    'http.route': route,
    'http.response.status_code': response.status,
  });
  return response;
}

/** 405 names what is allowed in a header of its own. */
function allowOf(error: unknown): Record<string, string> {
  const allow = error instanceof HeadgateError ? error.details?.['allow'] : undefined;
  return typeof allow === 'string' ? { allow } : {};
}

/** What a process answers: everything, or only what tells how it is (one that consumes or schedules). */
export type Answered = 'everything' | 'health';

/** The API over its services. Serving it, and holding the data directory, is the caller's. */
export function createApp(services: Services, answered: Answered = 'everything'): OpenAPIHono {
  const app = new OpenAPIHono();
  const house: House = {
    services,
    authenticate: createAuthentication(services),
    limitRate: createRateLimit(services.config.limits.requestsPerSecond),
    answers: new AnswerCache(ANSWERS_LENGTH),
    instruments: createInstruments(services.meter),
  };
  const answers = operations.filter(({ tag }) => answered === 'everything' || tag === 'System');
  for (const operation of answers) {
    app.openAPIRegistry.registerPath(describeOperation(operation));
    app.on(operation.method.toUpperCase(), honoPath(operation.path), (context) =>
      exchange(context, operation.path, house, (requestId) =>
        answerRequest(operation, context, requestId, house),
      ),
    );
  }
  docsRoutes(app);
  if (answered === 'everything') {
    dashboardRoutes(app, services, (context, route, work) => exchange(context, route, house, work));
  }
  app.onError((error) => {
    services.logger.error({ error }, 'request failed outside an operation');
    return problemResponse(problemOf(error, randomUUID()));
  });
  const methodsOf = createRouteTable(answers);
  app.notFound((context) =>
    exchange(context, NO_ROUTE, house, () => {
      throw nothingHere(context.req.method, context.req.path, methodsOf(context.req.path));
    }),
  );
  return app;
}

function nothingHere(method: string, path: string, allowed: readonly string[]): RefusedError {
  const what = `${method} ${path.slice(0, 200)}`;
  if (allowed.length === 0) {
    return new RefusedError('route_not_found', `there is no ${what}; see /docs`, { status: 404 });
  }
  const allow = allowed.join(', ');
  return new RefusedError('method_not_allowed', `there is no ${what}; this path takes ${allow}`, {
    status: 405,
    details: { allow },
  });
}
