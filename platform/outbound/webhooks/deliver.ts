import { MICROS_PER_SECOND, type Instant } from '../../../core/time.js';
import type { SecretText } from '../../secrets.js';
import type { Sql } from '../../sql/sql.js';
import { dueMessages, noteAttempt, takeMessage, type WebhookDelivery } from './message-store.js';
import { signedHeaders } from './signature.js';

/** Where messages go. */
export interface WebhookEndpoint {
  readonly url: SecretText;
  /** Two while one replaces the other. */
  readonly secrets: readonly SecretText[];
  readonly timeoutMs: number;
}

export interface DeliveryDeps {
  readonly sql: Sql;
  readonly endpoint: WebhookEndpoint;
  readonly clock: () => Instant;
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal;
}

/** Between attempts, in seconds: over three days in all, so that a weekend is not lost. */
export const BACK_OFF_SECONDS: readonly bigint[] = [5n, 30n, 120n, 600n, 3_600n, 21_600n, 86_400n, 172_800n];
const AT_ONCE = 20;

/**
 * Sends what is due, each message once. A process that dies in the middle leaves the message for another attempt, under the same
 * id: at least once, never lost.
 *
 * @returns how many were delivered
 */
export async function deliverDue(deps: DeliveryDeps): Promise<number> {
  const due = await dueMessages(deps.sql, deps.clock(), AT_ONCE);
  let delivered = 0;
  for (const message of due) {
    if (deps.signal.aborted) break;
    if (await deliverOne(message, deps)) delivered += 1;
  }
  return delivered;
}

async function deliverOne(message: WebhookDelivery, deps: DeliveryDeps): Promise<boolean> {
  const { sql, clock, endpoint } = deps;
  const now = clock();
  // A runner that is still at it has given up by then.
  const leaseUntil = now + 2n * BigInt(endpoint.timeoutMs) * 1_000n;
  if (!(await takeMessage(sql, message, { now, leaseUntil }))) return false;
  const { status, problem } = await post(message, deps, now);
  const wait = BACK_OFF_SECONDS[message.attempts];
  const isOver = problem === null || wait === undefined;
  const at = clock();
  await noteAttempt(sql, message.messageId, {
    ...{ at, status, problem },
    nextAttemptAt: isOver ? null : at + wait * MICROS_PER_SECOND,
  });
  return problem === null;
}

interface Posted {
  readonly status: number | null;
  /** Null: the other side took it. */
  readonly problem: string | null;
}

async function post(
  message: WebhookDelivery,
  { endpoint, fetch: send, signal }: DeliveryDeps,
  now: Instant,
): Promise<Posted> {
  const timeout = AbortSignal.timeout(endpoint.timeoutMs);
  try {
    const answer = await send(endpoint.url.reveal(), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'headgate-webhooks',
        ...signedHeaders(
          message,
          endpoint.secrets.map((secret) => secret.reveal()),
          now,
        ),
      },
      body: message.payload,
      // Followed, a redirect would take the message, signed, where nobody named.
      redirect: 'manual',
      signal: AbortSignal.any([timeout, signal]),
    });
    await answer.body?.cancel();
    const { status } = answer;
    return { status, problem: answer.ok ? null : `the endpoint answered ${status}` };
  } catch {
    // The cause may hold the URL, which may hold a secret.
    const problem = timeout.aborted
      ? `no answer within ${endpoint.timeoutMs / 1000} s`
      : 'the endpoint could not be reached';
    return { status: null, problem };
  }
}
