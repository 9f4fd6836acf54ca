import { compareText } from '../../core/compare.js';
import { chargeable } from '../../platform/outbound/stripe/stripe-amounts.js';
import type { BillBooks, CreditableInvoice } from './bill-books.js';
import type { LineChange } from './line-changes.js';

/** By line and currency, under `lineCurrency`: the invoice that charged most of it. */
export type Homes = ReadonlyMap<string, CreditableInvoice>;

export function lineCurrency(lineId: string, currency: string): string {
  return JSON.stringify([lineId, currency]);
}

/** Changes that make an invoice worth less, and what is taken off it for them. */
export interface Credit {
  readonly invoice: CreditableInvoice;
  readonly changes: readonly LineChange[];
  /** Above 0, and what Stripe can express. */
  readonly creditMinor: bigint;
}

export interface CreditTerms extends Pick<BillBooks, 'lateUsage'> {
  readonly homes: Homes;
  /** The customer that pays for the org now; undefined: none. */
  readonly payerId: string | undefined;
}

/**
 * What was charged too much is credited on the invoice that charged it, net of what the same invoice charged too little. Where it
 * can't be (more than is left of it, less than Stripe can express, or what would be left can't be charged), it goes with the next bill, as what was charged too little does.
 */
export function planCredits(
  changes: readonly LineChange[],
  currency: string,
  { homes, lateUsage, payerId }: CreditTerms,
): { readonly credits: readonly Credit[]; readonly rest: readonly LineChange[] } {
  const { unitMinor, leastMinor } = chargeable(currency);
  const byInvoice = new Map<string, { readonly invoice: CreditableInvoice; readonly own: LineChange[] }>();
  for (const change of changes) {
    const invoice = homes.get(lineCurrency(change.rated.lineId, currency));
    if (invoice === undefined || !isCredited(change, lateUsage)) continue;
    const known = byInvoice.get(invoice.billId) ?? { invoice, own: [] };
    known.own.push(change);
    byInvoice.set(invoice.billId, known);
  }
  const inOrder = [...byInvoice].sort(([a], [b]) => compareText(a, b)).map(([, group]) => group);
  const credits = inOrder.flatMap(({ invoice, own }): Credit[] => {
    const tooMuchMinor = own.reduce((sum, { amountMinor }) => sum - amountMinor, 0n);
    const creditMinor = tooMuchMinor - (tooMuchMinor % unitMinor);
    return isCreditable(invoice, creditMinor, { payerId, leastMinor })
      ? [{ invoice, changes: own, creditMinor }]
      : [];
  });
  const credited = new Set(credits.flatMap((credit) => credit.changes));
  return { credits, rest: changes.filter((change) => !credited.has(change)) };
}

/** One that Stripe refused twice is not tried a third time. */
const MOST_REFUSALS = 2;

function isCreditable(
  { leftMinor, isPaid, customerId, refusals }: CreditableInvoice,
  creditMinor: bigint,
  { payerId, leastMinor }: Pick<CreditTerms, 'payerId'> & { readonly leastMinor: bigint },
): boolean {
  if (creditMinor <= 0n || creditMinor > leftMinor || refusals >= MOST_REFUSALS) return false;
  // The balance of a customer who does not pay for the org any more is used up by no invoice.
  if (isPaid) return customerId === payerId;
  // Less than the least that can be charged could never be paid.
  const leavesMinor = leftMinor - creditMinor;
  return leavesMinor === 0n || leavesMinor >= leastMinor;
}

/** Whether a change may go on a credit note: what is no usage goes where the usage of its invoice goes. */
export function isCredited({ rated }: LineChange, lateUsage: BillBooks['lateUsage']): boolean {
  return rated.adjustment !== null || lateUsage(rated.meterId) !== 'next_invoice';
}
