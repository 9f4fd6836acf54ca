import { invariant, UnavailableError } from '../../core/errors.js';
import { MICROS_PER_SECOND, type Instant } from '../../core/time.js';
import { sendable, type SendableRequest } from './intent.js';
import type { IntentStore, KeptIntent } from './intent-store.js';
import type { OtherSide, SendOutcome } from './other-side.js';

/** Stripe keeps a key for a day at least; one hour of that is left to clocks and to requests that are under way. */
export const KEY_TRUSTED_FOR = 23n * 3600n * MICROS_PER_SECOND;
/** How long to wait before the same bytes are sent again, in this process; after the last, a later run goes on. */
const WAITS_MS = [500, 2_000, 8_000];

export interface CarryOutDeps {
  readonly store: IntentStore;
  readonly side: OtherSide;
  readonly clock: () => Instant;
  /** @throws UnavailableError `lease_lost` when another process has taken over the customer */
  readonly assertHeld: () => Promise<void>;
  readonly wait: (ms: number) => Promise<void>;
  /** Looked at before an intent that is not done; what it objects to stops the group there, with that reason. */
  readonly objection?: (intent: KeptIntent, done: readonly KeptIntent[]) => Promise<KeptIntent['problem']>;
}

/** A group's intents, in order, up to the first that did not come to its end. */
export interface CarriedOut {
  readonly intents: readonly KeptIntent[];
  /** The one that stopped the others; null when all are done. */
  readonly stoppedBy: KeptIntent | null;
}

/**
 * Carries out what a group of intents still lacks, one after the other. Whatever was done or begun before, by whichever process, is
 * found out first, so that it may be called as often as one likes. An intent that was refused is tried anew: somebody may have mended
 * what was wrong. One in quarantine is looked for again, and stays there while it is found more than once.
 *
 * @throws UnavailableError when the other side does not answer: all stays where it is, and a later call goes on
 */
export async function carryOut(groupId: string, deps: CarryOutDeps): Promise<CarriedOut> {
  const intents: KeptIntent[] = [];
  const objectIds = new Map<string, string>();
  for (const kept of await deps.store.ofGroup(groupId)) {
    const { on } = kept.request;
    const about = on === null ? null : objectIds.get(on);
    invariant(about !== undefined, `intent ${kept.intentId} comes before the one that it is about`);
    const problem = kept.state === 'done' ? null : ((await deps.objection?.(kept, intents)) ?? null);
    if (problem !== null) return { intents, stoppedBy: { ...kept, problem } };
    const intent = await carryOutOne(kept, sendable(kept.request, about), deps);
    intents.push(intent);
    if (intent.object === null) return { intents, stoppedBy: intent };
    objectIds.set(intent.intentId, intent.object.objectId);
  }
  return { intents, stoppedBy: null };
}

async function carryOutOne(
  kept: KeptIntent,
  request: SendableRequest,
  deps: CarryOutDeps,
): Promise<KeptIntent> {
  if (kept.state === 'done' || kept.state === 'withdrawn') return kept;
  let intent = kept;
  for (const waitMs of [0, ...WAITS_MS]) {
    if (waitMs > 0) await deps.wait(waitMs);
    const begun = await readyToSend(intent, request, deps);
    if (begun.state !== 'sending') return begun;
    const outcome = await send(begun, request, deps);
    intent = await after(begun, request, outcome, deps);
    if (intent.state !== 'sending') return intent;
    if (outcome.outcome === 'not_executed' && outcome.retryAfterMs > 0) await deps.wait(outcome.retryAfterMs);
  }
  throw new UnavailableError(
    'stripe_unavailable',
    `intent ${intent.intentId}: no answer that says what happened, ${WAITS_MS.length + 1} times; a later run finds out and goes on`,
    { details: { retryAfterSeconds: 60 } },
  );
}

/** The intent in an attempt whose key may be sent: the one under way where its key is still trusted, else a new one. */
async function readyToSend(
  intent: KeptIntent,
  request: SendableRequest,
  deps: CarryOutDeps,
): Promise<KeptIntent> {
  if (intent.attempt === 0) return deps.store.begin(intent, deps.clock());
  if (intent.state === 'sending' && !intent.mustLook && isKeyTrusted(intent, deps.clock())) return intent;
  return (await settledByFinding(intent, request, deps)) ?? deps.store.begin(intent, deps.clock());
}

/** What it has made already is adopted; null when it has made nothing. */
async function settledByFinding(
  intent: KeptIntent,
  request: SendableRequest,
  { side, store, clock }: CarryOutDeps,
): Promise<KeptIntent | null> {
  const { intentId, purpose } = intent;
  const found = await side.find({ intentId, kind: purpose.kind, request });
  const [one, ...more] = found;
  if (one === undefined) return null;
  if (more.length === 0) return store.settle(intent, one, clock());
  const ids = found.map(({ objectId }) => objectId).join(', ');
  const problem = {
    code: 'duplicate',
    message: `the other side has it ${found.length} times (${ids}); delete, void or credit all but one, and reconcile`,
  };
  return store.stop(intent, 'quarantined', problem, clock());
}

function isKeyTrusted({ attemptBeganAt }: KeptIntent, now: Instant): boolean {
  return attemptBeganAt !== null && now - attemptBeganAt < KEY_TRUSTED_FOR;
}

async function send(intent: KeptIntent, request: SendableRequest, deps: CarryOutDeps): Promise<SendOutcome> {
  await deps.assertHeld();
  return deps.side.send(request, idempotencyKeyOf(intent));
}

/** The intent itself; from the second attempt on with its number. */
export function idempotencyKeyOf({ intentId, attempt }: KeptIntent): string {
  return attempt === 1 ? intentId : `${intentId}.${attempt}`;
}

async function after(
  intent: KeptIntent,
  request: SendableRequest,
  outcome: SendOutcome,
  deps: CarryOutDeps,
): Promise<KeptIntent> {
  const { store, clock } = deps;
  switch (outcome.outcome) {
    case 'done':
      return store.settle(intent, outcome.object, clock());
    case 'refused':
      // It may be refused because it is so already: somebody has made the invoice final by hand.
      return (
        (await settledByFinding(intent, request, deps)) ??
        store.stop(intent, 'refused', { code: outcome.code, message: outcome.message }, clock())
      );
    case 'not_executed':
      return intent;
    case 'unknown':
      return outcome.isForgotten ? store.distrustKey(intent) : intent;
  }
}
