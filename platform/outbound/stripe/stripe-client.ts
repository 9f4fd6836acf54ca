import Stripe from 'stripe';
import { z } from 'zod';
import { RefusedError, UnavailableError } from '../../../core/errors.js';
import type { StripeConfig } from '../../config.js';
import type { SecretText } from '../../secrets.js';
import type { OutsideAccount } from '../intent.js';
import { modeOf } from './key-mode.js';

/** The official SDK. It never sends twice by itself: who sends knows what may be sent again, and under which key. */
export function stripeClient({
  secretKey,
  url,
  timeoutMs,
}: Pick<StripeConfig, 'secretKey' | 'url' | 'timeoutMs'>): Stripe {
  const server = url === null ? null : new URL(url.reveal());
  return new Stripe(secretKey.reveal(), {
    maxNetworkRetries: 0,
    timeout: timeoutMs,
    telemetry: false,
    appInfo: { name: 'headgate' },
    ...(server === null
      ? {}
      : {
          host: server.hostname,
          port: server.port,
          protocol: server.protocol === 'http:' ? ('http' as const) : ('https' as const),
        }),
  });
}

const Account = z.object({ id: z.string() });

/**
 * Whose key it is. The mode is the key's own; the account is asked for, since a key does not tell.
 *
 * @throws RefusedError `stripe_key_refused`; UnavailableError `stripe_unavailable`
 */
export async function accountOf(stripe: Stripe, secretKey: SecretText): Promise<OutsideAccount> {
  try {
    const { id } = Account.parse(await stripe.rawRequest('GET', '/v1/account'));
    return { account: id, mode: modeOf(secretKey) };
  } catch (error) {
    throw stripeError(error);
  }
}

/** What Stripe says of the key as a whole, or of nothing at all, in our words; anything else as it was. */
export function stripeError(error: unknown): unknown {
  if (isKeyRefused(error)) {
    return new RefusedError(
      'stripe_key_refused',
      'Stripe does not accept STRIPE_SECRET_KEY, or not for this; nothing was executed. Check it in the dashboard under Developers, ' +
        'and that it is of the account and mode that bills were made for',
      { cause: error },
    );
  }
  if (!isTemporary(error)) return error;
  return new UnavailableError(
    'stripe_unavailable',
    'Stripe does not answer now; nothing is lost, try again later',
    {
      cause: error,
      details: { retryAfterSeconds: 60 },
    },
  );
}

/** The same for what is not sent under an intent: whatever Stripe refuses is said as an error of ours. */
export function refusalOfStripe(error: unknown): unknown {
  const known = stripeError(error);
  if (!(known instanceof Stripe.errors.StripeError)) return known;
  return new RefusedError('conflict', `Stripe refuses: ${known.message}`, { cause: known });
}

export function isMissing(error: unknown): boolean {
  return error instanceof Stripe.errors.StripeError && error.code === 'resource_missing';
}

function isKeyRefused(error: unknown): boolean {
  const { StripeAuthenticationError, StripePermissionError } = Stripe.errors;
  return error instanceof StripeAuthenticationError || error instanceof StripePermissionError;
}

function isTemporary(error: unknown): boolean {
  const { StripeConnectionError, StripeAPIError, StripeRateLimitError } = Stripe.errors;
  return [StripeConnectionError, StripeAPIError, StripeRateLimitError].some((kind) => error instanceof kind);
}
