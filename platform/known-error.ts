import { HeadgateError, UnavailableError } from '../core/errors.js';
import { isDiskFull } from './warehouse/duckdb-errors.js';

/**
 * An error that callers can act on, where what happened is one. Libraries wrap what they are told (drizzle names the statement and puts
 * the reason behind it), and a full disk has other words in the engine, the store and the file system.
 */
export function knownError(error: unknown): unknown {
  const chain = causes(error);
  const known = chain.find((one) => one instanceof HeadgateError && one.code !== 'invariant_broken');
  if (known !== undefined) return known;
  if (!chain.some(({ message }) => isDiskFull(message))) return error;
  return new UnavailableError('disk_full', 'the disk is full; free some space and try again', {
    cause: error,
    details: { retryAfterSeconds: 30 },
  });
}

function causes(error: unknown): Error[] {
  return error instanceof Error ? [error, ...causes(error.cause)] : [];
}
