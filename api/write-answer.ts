import { RefusedError } from '../core/errors.js';
import { answerOnce } from '../ingest/idempotency.js';
import { actorOf } from './actor.js';
import { answerHeaders } from './answer-headers.js';
import type { RequestContext } from './context.js';
import { apiJson } from './json-answer.js';
import type { Operation, OperationInput } from './operation.js';
import { RawAnswer } from './raw-answer.js';

const JSON_TYPE = 'application/json; charset=utf-8';

/** Does the work of an operation and writes its answer; with an Idempotency-Key, does it once. */
export async function respond(
  operation: Operation,
  input: OperationInput,
  context: RequestContext,
  request: Request,
): Promise<Response> {
  const key = operation.onRepeat === 'another go' ? null : request.headers.get('idempotency-key');
  if (key !== null) return respondOnce(operation, input, context, { request, key });
  const { mediaType, content, headers } = await writtenAnswer(operation, input, context);
  return new Response(content, {
    status: operation.answerStatus,
    headers: answerHeaders(context.requestId, mediaType, headers),
  });
}

async function respondOnce(
  operation: Operation,
  input: OperationInput,
  context: RequestContext,
  { request, key }: { request: Request; key: string },
): Promise<Response> {
  const isSecret = operation.onRepeat === 'refusal';
  const { pathname, search } = new URL(request.url);
  // Work that is done now leaves its answer here; work that was done before leaves nothing.
  const done: string[] = [];
  const stored = await answerOnce(
    context.services.sql,
    { scope: `${actorOf(context)} ${request.method} ${pathname}${search}`, key, body: context.bytes },
    async () => {
      const { content } = await writtenAnswer(operation, input, context);
      const answer = typeof content === 'string' ? content : Buffer.from(content).toString('utf8');
      done.push(answer);
      return { status: operation.answerStatus, answer: isSecret ? '' : answer };
    },
  );
  const [first] = done;
  if (first === undefined && isSecret) {
    throw new RefusedError(
      'already_exists',
      'the first request with this Idempotency-Key was done, and its secret was shown then; it is kept nowhere. ' +
        'Revoke what it made and make another with a new key',
    );
  }
  const replayed = first === undefined ? { 'idempotency-replayed': 'true' } : undefined;
  return new Response(first ?? stored.answer, {
    status: stored.status,
    headers: answerHeaders(context.requestId, JSON_TYPE, replayed),
  });
}

async function writtenAnswer(
  operation: Operation,
  input: OperationInput,
  context: RequestContext,
): Promise<RawAnswer> {
  const result = await operation.answerTo(input, context);
  return result instanceof RawAnswer ? result : new RawAnswer(JSON_TYPE, apiJson(result.answer));
}
