import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type Stripe from 'stripe';
import { RefusedError, UnavailableError } from '../core/errors.js';
import type { Instant } from '../core/time.js';
import type { AuditLog } from '../platform/audit-log.js';
import type { StripeConfig } from '../platform/config.js';
import type { SecretText } from '../platform/secrets.js';
import type { OutsideAccount } from '../platform/outbound/intent.js';
import { IntentStore } from '../platform/outbound/intent-store.js';
import { readCustomer, type ReadCustomer } from '../platform/outbound/stripe/read-customer.js';
import { readInvoice } from '../platform/outbound/stripe/read-invoice.js';
import { removeDraft } from '../platform/outbound/stripe/remove-draft.js';
import { accountOf, modeOf, stripeClient } from '../platform/outbound/stripe/stripe-client.js';
import { StripeSide } from '../platform/outbound/stripe/stripe-side.js';
import { checkFingerprint, installationValue, keepFirst } from '../platform/sql/installation.js';
import type { Sql } from '../platform/sql/sql.js';
import { BillStore } from './overage-run/bill-store.js';
import type { WithdrawDeps } from './overage-run/withdraw-bill.js';

/** One account of Stripe in one mode, with this company's ledger of it. */
export interface BillingDesk extends WithdrawDeps {
  /** As Stripe has it now. */
  readonly readCustomer: (customerId: string) => Promise<ReadCustomer>;
}

export interface DeskDeps {
  readonly config: StripeConfig | null;
  readonly sql: Sql;
  readonly audit: AuditLog;
  readonly clock: () => Instant;
  readonly holder: string;
  readonly onProgress: (message: string) => void;
  readonly onUnexpected: (error: unknown) => void;
  readonly signal: AbortSignal;
}

/** Answers that a request may wait for, with what happens between them. */
const ANSWERS_PER_LEASE = 3;

/**
 * Opens the desk: asks Stripe whose key it is, and whether this company may bill with it.
 *
 * @throws RefusedError `stripe_not_configured`; `stripe_key_refused`; `needs_database_url` for a live key on a store that does not
 *   survive a power cut; `invalid_config` for the live account of another company. UnavailableError when Stripe does not answer
 */
export async function openBillingDesk(deps: DeskDeps): Promise<BillingDesk> {
  const { config, sql } = deps;
  if (config === null) {
    throw new RefusedError(
      'stripe_not_configured',
      'STRIPE_SECRET_KEY is not set, so nothing can be billed; for a try on this machine: headgate billing local-stripe',
    );
  }
  const stripe = stripeClient(config);
  const account = await knownAccount(stripe, config.secretKey, sql);
  if (account.mode === 'live') await requireOwnLiveAccount(sql, account.account);
  const intents = new IntentStore(sql);
  return {
    ...deps,
    intents,
    store: new BillStore(sql, account, intents),
    side: new StripeSide(stripe),
    readCustomer: (customerId) => readCustomer(stripe, customerId),
    readInvoice: (invoiceId) => readInvoice(stripe, invoiceId),
    removeDraft: (invoiceId) => removeDraft(stripe, invoiceId),
    wait: (ms) => delay(ms),
    leaseMs: ANSWERS_PER_LEASE * config.timeoutMs,
    concurrency: config.concurrency,
  };
}

/** Asked for, or, while Stripe is away, as it was told for this key before: what was billed can be read all the same. */
async function knownAccount(stripe: Stripe, secretKey: SecretText, sql: Sql): Promise<OutsideAccount> {
  const digest = createHash('sha256').update(secretKey.reveal()).digest('hex');
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
