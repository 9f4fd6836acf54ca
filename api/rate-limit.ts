import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { UnavailableError } from '../core/errors.js';
import type { ApiKey } from '../platform/api-keys.js';

/** Refuses a key that asks too often; in memory, so each instance counts for itself. */
export type RateLimit = (key: ApiKey) => Promise<void>;

/** @param requestsPerSecond for each key; 0 is no limit */
export function createRateLimit(requestsPerSecond: number): RateLimit {
  if (requestsPerSecond === 0) return () => Promise.resolve();
  const limiter = new RateLimiterMemory({ points: requestsPerSecond, duration: 1 });
  return async ({ keyId }) => {
    try {
      await limiter.consume(keyId);
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      const retryAfterSeconds = Math.max(1, Math.ceil(refused.msBeforeNext / 1000));
      throw new UnavailableError(
        'rate_limited',
        `this key made more than ${requestsPerSecond} requests in a second; try again in ${retryAfterSeconds} s`,
        { status: 429, details: { retryAfterSeconds } },
      );
    }
  };
}
