import type { Decimal } from '../../core/decimal.js';
import type { HashHex } from '../../core/identity.js';
import type { Money } from '../../core/money.js';
import type { Period } from '../../core/time.js';
import type { LateUsage } from '../../core/catalog/usage.js';
import type { OutsideAccount } from '../../platform/outbound/intent.js';
import type { OverageLine } from '../overage-plan.js';
import type { ApprovalRules, BilledSoFar } from './approval.js';

/** Who pays for an org at Stripe. */
export interface Payer {
  readonly customerId: string;
  /** The one currency that Stripe bills it in, once it has one. */
  readonly currency: string | null;
  readonly collection:
    | { readonly method: 'charge_automatically' }
    | { readonly method: 'send_invoice'; readonly daysUntilDue: number };
}

/** What the ledger has of a rated line in one currency: all that was entered of it so far, corrections included. */
export interface LedgerLine extends Money {
  readonly lineId: string;
  /** Of the last entry. */
  readonly sequence: number;
  /** What all entries used up of a prepaid quantity. */
  readonly creditQuantity: Decimal;
}

/** A final invoice of ours that a credit note can take something off. */
export interface CreditableInvoice {
  readonly billId: string;
  readonly invoiceId: string;
  readonly customerId: string;
  /** What is left of it to be credited. */
  readonly leftMinor: bigint;
  /** Credit notes on it that Stripe refused: one that is refused again and again waits for the next bill instead. */
  readonly refusals: number;
  /** Then what is credited goes to the customer's balance; else less is to be paid. */
  readonly isPaid: boolean;
}

/** What a plan of bills is made from. */
export interface BillBooks {
  readonly account: OutsideAccount;
  /** First day of the month in which the billed periods ended. */
  readonly month: string;
  readonly ending: Period;
  /** Everything that was rated for these periods, also what is within its allowance. */
  readonly lines: readonly OverageLine[];
  /** What a meter's usage that becomes known after it was billed leads to. */
  readonly lateUsage: (meterId: string) => LateUsage;
  /** By line; more than one where the currency of its subscription changed after it was billed. */
  readonly ledger: ReadonlyMap<string, readonly LedgerLine[]>;
  /** Under `orgCurrency`: what earlier months left to be billed, or credited where it is negative. */
  readonly carriedMinor: ReadonlyMap<string, bigint>;
  /** Under `orgCurrency`: bills of this month so far. */
  readonly billCounts: ReadonlyMap<string, number>;
  /** Under `orgCurrency`: what bills of this month and the month before come to. */
  readonly billedMinor: ReadonlyMap<string, BilledSoFar>;
  readonly approval: ApprovalRules;
  readonly payers: ReadonlyMap<string, Payer>;
  readonly sha256: HashHex;
}

/** Money that nobody can bill now, and what to do about it. Nothing of it is entered. */
export interface HeldBack {
  readonly orgId: string;
  readonly money: Money | null;
  readonly cause:
    | 'no_customer'
    | 'customer_currency'
    | 'currency_unsupported'
    | 'amount_too_large'
    | 'no_longer_rated'
    | 'late_usage'
    | 'assumed';
  readonly message: string;
}

export function orgCurrency(orgId: string, currency: string): string {
  return JSON.stringify([orgId, currency]);
}
