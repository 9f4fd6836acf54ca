import type Stripe from 'stripe';
import { RefusedError, UnavailableError } from '../../../core/errors.js';
import type { StripeConfig } from '../../config.js';
import type { SecretText } from '../../secrets.js';
import { checkFingerprint, installationValue, keepFirst } from '../../sql/installation.js';
import type { Sql } from '../../sql/sql.js';
import type { OutsideAccount } from '../intent.js';
import { modeOf } from './key-mode.js';
import { accountOf, stripeClient } from './stripe-client.js';
import { sha256 } from '../../sha256.js';

/** The company's account at Stripe, and the client that speaks for it. */
export interface OwnAccount {
  readonly stripe: Stripe;
  readonly account: OutsideAccount;
  readonly config: StripeConfig;
}

/**
 * Asks Stripe whose key it is, and whether this company may work with it.
 *
 * @throws RefusedError `stripe_not_configured`; `stripe_key_refused`; `needs_database_url` for a live key on a store that does not
 *   survive a power cut; `invalid_config` for the live account of another company. UnavailableError when Stripe does not answer
 */
export async function openOwnAccount(config: StripeConfig | null, sql: Sql): Promise<OwnAccount> {
  if (config === null) {
    throw new RefusedError(
      'stripe_not_configured',
      'STRIPE_SECRET_KEY is not set, so nothing can be billed; for a try on this machine: headgate billing local-stripe',
    );
  }
  const stripe = stripeClient(config);
  const account = await knownAccount(stripe, config.secretKey, sql);
  if (account.mode === 'live') await requireOwnLiveAccount(sql, account.account);
  return { stripe, account, config };
}

/** Asked for, or, while Stripe is away, as it was told for this key before: what was billed can be read all the same. */
async function knownAccount(stripe: Stripe, secretKey: SecretText, sql: Sql): Promise<OutsideAccount> {
  const digest = sha256(secretKey.reveal());
  const name = `stripe_key ${digest}` as const;
  try {
    const account = await accountOf(stripe, secretKey);
    await keepFirst(sql, name, account.account);
    return account;
  } catch (error) {
    const known = error instanceof UnavailableError ? await installationValue(sql, name) : null;
    if (known === null) throw error;
    return { account: known, mode: modeOf(secretKey) };
  }
}

async function requireOwnLiveAccount(sql: Sql, account: string): Promise<void> {
  if (!sql.survivesPowerCut) {
    throw new RefusedError(
      'needs_database_url',
      'a live key bills real money, and this store does not survive a power cut; set DATABASE_URL to a Postgres server with fsync on',
    );
  }
  await checkFingerprint(
    sql,
    'stripe_account live',
    account,
    `STRIPE_SECRET_KEY is of ${account}, and this company was billed by another account; set the first one's key back`,
  );
}
