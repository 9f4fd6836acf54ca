import { setTimeout as delay } from 'node:timers/promises';
import type { Instant } from '../core/time.js';
import type { AuditLog } from '../platform/audit-log.js';
import type { StripeConfig } from '../platform/config.js';
import { IntentStore } from '../platform/outbound/intent-store.js';
import { openOwnAccount } from '../platform/outbound/stripe/own-account.js';
import { readCustomer, type ReadCustomer } from '../platform/outbound/stripe/read-customer.js';
import { readCreditNote } from '../platform/outbound/stripe/read-credit-note.js';
import { readInvoice } from '../platform/outbound/stripe/read-invoice.js';
import { removeDraft } from '../platform/outbound/stripe/remove-draft.js';
import { StripeSide } from '../platform/outbound/stripe/stripe-side.js';
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

/** @throws as `openOwnAccount` */
export async function openBillingDesk(deps: DeskDeps): Promise<BillingDesk> {
  const { sql } = deps;
  const { stripe, account, config } = await openOwnAccount(deps.config, sql);
  const intents = new IntentStore(sql);
  return {
    ...deps,
    intents,
    store: new BillStore(sql, account, intents),
    side: new StripeSide(stripe),
    readCustomer: (customerId) => readCustomer(stripe, customerId),
    readCreditNote: (creditNoteId) => readCreditNote(stripe, creditNoteId),
    readInvoice: (invoiceId) => readInvoice(stripe, invoiceId),
    removeDraft: (draft) => removeDraft(stripe, draft),
    wait: (ms) => delay(ms),
    leaseMs: ANSWERS_PER_LEASE * config.timeoutMs,
    concurrency: config.concurrency,
  };
}
