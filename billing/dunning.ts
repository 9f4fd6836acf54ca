import { MICROS_PER_DAY, type Instant } from '../core/time.js';

/** What dunning reads of an invoice: a row of the mirror, or anything like it. */
export interface DunnedInvoice {
  readonly invoiceId: string;
  readonly status: 'open' | 'paid' | 'uncollectible' | 'void';
  readonly remainingMinor: bigint;
  readonly dueAt: Instant | null;
  readonly attemptCount: number;
  readonly nextPaymentAttemptAt: Instant | null;
  /** Since when payments of it fail; null while none did. */
  readonly failingSince: Instant | null;
}

/** An invoice that should be paid by now, and is not. */
export interface Arrears {
  readonly invoiceId: string;
  readonly since: Instant;
  readonly attempts: number;
  /** When Stripe tries again; null when it has given up, or only waits to be paid. */
  readonly nextAttemptAt: Instant | null;
  /** When the grace of the stop policy is over, and with it the service. */
  readonly pausesAt: Instant;
}

/**
 * Where an org stands with what it owes. `past_due`: within the grace of its stop policy. `paused`: beyond it, and until it is paid.
 * `uncollectible`: somebody gave an invoice up, which nobody's waiting mends.
 */
export type Dunning =
  | { readonly state: 'current' }
  | ({ readonly state: 'past_due' | 'paused' } & Arrears)
  | { readonly state: 'uncollectible'; readonly invoiceId: string };

export const DEFAULT_GRACE_DAYS = 14;

/**
 * The state of the worst of an org's invoices: one that was given up, else the one that has been owed the longest. At the very instant
 * at which the grace is over, it is over.
 */
export function dunningOf(invoices: readonly DunnedInvoice[], now: Instant, graceDays: number): Dunning {
  const owed = invoices.filter(({ remainingMinor }) => remainingMinor > 0n);
  const givenUp = owed.find(({ status }) => status === 'uncollectible');
  if (givenUp !== undefined) return { state: 'uncollectible', invoiceId: givenUp.invoiceId };
  const grace = BigInt(graceDays) * MICROS_PER_DAY;
  const [longest] = owed
    .flatMap((invoice) => arrearsOf(invoice, now, grace))
    .sort((a, b) => (a.since < b.since ? -1 : a.since > b.since ? 1 : a.invoiceId < b.invoiceId ? -1 : 1));
  if (longest === undefined) return { state: 'current' };
  return { state: now >= longest.pausesAt ? 'paused' : 'past_due', ...longest };
}

/** Overdue, or a payment of it failed: whichever was first. */
function arrearsOf(invoice: DunnedInvoice, now: Instant, grace: Instant): Arrears[] {
  if (invoice.status !== 'open') return [];
  const { invoiceId, dueAt, failingSince, attemptCount, nextPaymentAttemptAt } = invoice;
  const times = [failingSince, dueAt].filter((at): at is Instant => at !== null && at <= now);
  const [since] = times.sort((a, b) => (a < b ? -1 : 1));
  if (since === undefined) return [];
  const next = { attempts: attemptCount, nextAttemptAt: nextPaymentAttemptAt };
  return [{ invoiceId, since, ...next, pausesAt: since + grace }];
}
