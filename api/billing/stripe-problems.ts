import type { ErrorCode } from '../../core/errors.js';

/** What every operation may answer that asks for the desk: it begins with a question to Stripe. */
export const STRIPE_PROBLEMS = [
  'stripe_not_configured',
  'stripe_key_refused',
  'stripe_unavailable',
] as const satisfies readonly ErrorCode[];
