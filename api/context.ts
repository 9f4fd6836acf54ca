import type { Logger } from 'pino';
import type { Instant } from '../core/time.js';
import type { ApiKey } from '../platform/api-keys.js';
import type { Instruments } from './instruments.js';
import type { AnswerCache } from './metrics/answer-cache.js';
import type { Services } from './services.js';

/** What one request has at hand. */
export interface RequestContext {
  readonly services: Services;
  readonly instruments: Instruments;
  /** What was answered over runs before. */
  readonly answers: AnswerCache;
  /** Who asks; null only on public operations. */
  readonly key: ApiKey | null;
  readonly requestId: string;
  readonly now: Instant;
  /** Made when first used: most requests log nothing of their own. */
  readonly log: () => Logger;
  /** The body of an operation that reads it whole, within its limit; else empty. */
  readonly bytes: Uint8Array;
  /** Of the request; null where it was not sent. */
  readonly header: (name: string) => string | null;
  /** Without its parameters, in lower case; '' where none was sent. */
  readonly mediaType: string;
  /**
   * The body piece by piece, for operations that never hold it whole.
   *
   * @throws InputError `body_too_large` once more than the operation's limit has arrived
   */
  readonly stream: () => AsyncIterable<Uint8Array>;
}
