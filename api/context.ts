import type { ApiKey } from '../platform/api-keys.js';
import type { Instant } from '../core/time.js';
import type { Logger } from 'pino';
import type { Services } from './services.js';

/** What one request has at hand. */
export interface RequestContext {
  readonly services: Services;
  /** Who asks; null only on public operations. */
  readonly key: ApiKey | null;
  readonly requestId: string;
  readonly now: Instant;
  readonly log: Logger;
  /** The request itself, for operations that read its bytes or headers. */
  readonly request: Request;
}
