import type { IntentKind, SendableRequest } from './intent.js';

/** An object at the other side that an intent made, or acted on. */
export interface OutsideObject {
  readonly objectId: string;
  /** What it is worth, where it says so: what a later comparison starts from. */
  readonly amountMinor: bigint | null;
  readonly currency: string | null;
  readonly status: string | null;
}

/**
 * How a send ended, as far as anybody can tell.
 *
 * - `refused`: it was looked at and turned down; the same request will be again, as long as things are as they are.
 * - `not_executed`: it was not looked at (too many requests, the key is under way elsewhere); the same bytes may be sent again.
 * - `unknown`: the answer was lost, or says nothing. `isForgotten` when the key only ever repeats that: then one must look.
 */
export type SendOutcome =
  | { readonly outcome: 'done'; readonly object: OutsideObject }
  | { readonly outcome: 'refused'; readonly code: string; readonly message: string }
  | { readonly outcome: 'not_executed'; readonly message: string; readonly retryAfterMs: number }
  | { readonly outcome: 'unknown'; readonly message: string; readonly isForgotten: boolean };

/** Where writes go. */
export interface OtherSide {
  /**
   * Sends once, without trying again.
   *
   * @throws RefusedError when the other side does not let us in at all: then nothing was executed
   */
  send(request: SendableRequest, idempotencyKey: string): Promise<SendOutcome>;
  /**
   * What this intent has made there, by the mark that its objects carry; for a finalizing, the invoice once it is final. It lists,
   * and does not search: search lags.
   *
   * @throws RefusedError as `send`; UnavailableError when the other side can't be asked now
   */
  find(intent: {
    readonly intentId: string;
    readonly kind: IntentKind;
    readonly request: SendableRequest;
  }): Promise<readonly OutsideObject[]>;
}
