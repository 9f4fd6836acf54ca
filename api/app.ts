import { randomUUID } from 'node:crypto';
import { OpenAPIHono } from '@hono/zod-openapi';
import { bodyLimit } from 'hono/body-limit';
import { compress } from 'hono/compress';
import { secureHeaders } from 'hono/secure-headers';
import type { Context, MiddlewareHandler } from 'hono';
import { HeadgateError, InputError, RefusedError } from '../core/errors.js';
import { authenticate, requireScope } from './authentication.js';
import type { RequestContext } from './context.js';
import { describeOperation } from './openapi.js';
import type { Operation, OperationInput } from './operation.js';
import { operations } from './operations.js';
import { problemOf, problemResponse } from './problem.js';
import { docsRoutes } from './docs-page.js';
import { writeJsonAnswer } from './json-answer.js';
import { createRateLimit, type RateLimit } from './rate-limit.js';
import type { Services } from './services.js';

interface Variables {
  requestId: string;
}
type Env = { Variables: Variables };

/** Ids that callers send are kept when they are harmless in a log line. */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

const identifyRequests: MiddlewareHandler<Env> = async (context, next) => {
  const sent = context.req.header('x-request-id');
  const requestId = sent !== undefined && REQUEST_ID.test(sent) ? sent : randomUUID();
  context.set('requestId', requestId);
  await next();
  context.header('x-request-id', requestId);
};

function logRequests(services: Services): MiddlewareHandler<Env> {
  return async (context, next) => {
    const startedMs = performance.now();
    await next();
    services.logger.info(
      {
        requestId: context.get('requestId'),
        method: context.req.method,
        path: context.req.path,
        status: context.res.status,
        durationMs: Math.round((performance.now() - startedMs) * 100) / 100,
      },
      'request',
    );
  };
}

/** `/v1/leads/{leadId}` as Hono writes it. */
const honoPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

async function readBody(operation: Operation, context: Context<Env>): Promise<unknown> {
  if (operation.body === undefined) return undefined;
  const text = await context.req.text();
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError(
      'invalid_json',
      'the body is not JSON; send an object with content-type application/json',
    );
  }
}

/** Query parameters as an object; `where[plan]=growth` becomes `where: { plan: 'growth' }`. */
function queryOf(context: Context<Env>): Record<string, unknown> {
  const query: Record<string, unknown> = {};
  const where: Record<string, string> = {};
  for (const [name, value] of Object.entries(context.req.query())) {
    const dimension = /^where\[([a-z_]{1,40})\]$/.exec(name)?.[1];
    if (dimension === undefined) query[name] = value;
    else where[dimension] = value;
  }
  return Object.keys(where).length > 0 ? { ...query, where } : query;
}

function mount(app: OpenAPIHono<Env>, operation: Operation, services: Services, limitRate: RateLimit): void {
  app.openAPIRegistry.registerPath(describeOperation(operation));
  app.on(operation.method.toUpperCase(), honoPath(operation.path), async (context) => {
    const key = operation.scope === 'public' ? null : await authenticate(context.req.raw, services);
    if (key !== null && operation.scope !== 'public') requireScope(key, operation.scope);
    if (key !== null) await limitRate(key);
    const requestId = context.get('requestId');
    const input: OperationInput = {
      params: context.req.param(),
      query: queryOf(context),
      body: await readBody(operation, context),
    };
    const request: RequestContext = {
      services,
      key,
      requestId,
      now: services.clock(),
      log: services.logger.child({ requestId, operation: operation.path }),
      request: context.req.raw,
    };
    const result = await operation.answerTo(input, request);
    return result instanceof Response ? result : writeJsonAnswer(result.answer, operation.answerStatus);
  });
}

/** The whole API over its services. Serving it, and holding the data directory, is the caller's. */
export function createApp(services: Services): OpenAPIHono<Env> {
  const app = new OpenAPIHono<Env>();
  app.use(identifyRequests, logRequests(services), secureHeaders(), compress());
  app.use(
    bodyLimit({
      maxSize: services.config.limits.bodyBytes,
      onError: () => {
        throw new InputError(
          'body_too_large',
          `the body is larger than ${services.config.limits.bodyBytes} bytes; send it in parts, or as a file with headgate ingest`,
          { status: 413 },
        );
      },
    }),
  );
  const limitRate = createRateLimit(services.config.limits.requestsPerSecond);
  for (const operation of operations) mount(app, operation, services, limitRate);
  docsRoutes(app);
  app.notFound((context) => {
    const error = new RefusedError(
      'route_not_found',
      `there is no ${context.req.method} ${context.req.path}; see /docs`,
      { status: 404 },
    );
    return problemResponse(problemOf(error, context.get('requestId')));
  });
  app.onError((error, context) => {
    const requestId = context.get('requestId');
    if (!(error instanceof HeadgateError) || error.status >= 500)
      services.logger.error({ err: error, requestId }, 'request failed');
    return problemResponse(problemOf(error, requestId));
  });
  return app;
}
