import type { ReadInvoice } from '../../platform/outbound/stripe/read-invoice.js';
import { moneyOfStripe } from '../../platform/outbound/stripe/stripe-amounts.js';
import { orgCurrency, type BillBooks, type CreditableInvoice } from './bill-books.js';
import type { ExecuteDeps } from './execute-bills.js';
import type { LineChange } from './line-changes.js';
import { isCredited, lineCurrency, type Homes } from './plan-credits.js';
import { chargesOf, refusedNotes, type Charge } from './read-bills.js';

export type HomeDeps = Pick<ExecuteDeps, 'sql' | 'store' | 'readInvoice' | 'concurrency'>;

/**
 * The final invoices that charged what is worth less now, as they stand at Stripe. Asks Stripe only where an org is owed something.
 *
 * @throws as `readInvoice`; then nothing is planned, rather than credited elsewhere
 */
export async function loadHomes(
  changes: readonly LineChange[],
  lateUsage: BillBooks['lateUsage'],
  { sql, store, readInvoice, concurrency }: HomeDeps,
): Promise<Homes> {
  const payerOf = ({ rated, currency }: LineChange): string => orgCurrency(rated.orgId, currency);
  const owed = new Set(
    changes
      .filter((change) => change.amountMinor < 0n && isCredited(change, lateUsage))
      .map((change) => payerOf(change)),
  );
  const lineIds = changes
    .filter((change) => owed.has(payerOf(change)))
    .map(({ rated: { lineId } }) => lineId);
  const charges = mostCharged(await chargesOf(sql, store.account, lineIds));
  const invoices = new Map<string, CreditableInvoice>();
  const homes = [...new Map([...charges.values()].map((charge) => [charge.billId, charge])).values()];
  for (let start = 0; start < homes.length; start += concurrency) {
    const some = homes.slice(start, start + concurrency);
    const read = await Promise.all(some.map(({ invoiceId }) => readInvoice(invoiceId)));
    const refused = await refusedNotes(
      sql,
      some.map(({ billId }) => billId),
    );
    for (const [index, { billId, invoiceId, customerId }] of some.entries()) {
      const creditable = creditableOf(read[index] ?? null);
      const refusals = refused.get(billId) ?? 0;
      if (creditable !== null)
        invoices.set(billId, { billId, invoiceId, customerId, ...creditable, refusals });
    }
  }
  return new Map(
    [...charges].flatMap(([key, { billId }]) => {
      const invoice = invoices.get(billId);
      return invoice === undefined ? [] : [[key, invoice] as const];
    }),
  );
}

/** Of several invoices that charged a line the one that charged most, and of equal ones the last. */
function mostCharged(charges: readonly Charge[]): Map<string, Charge> {
  const most = new Map<string, Charge>();
  for (const charge of charges) {
    const key = lineCurrency(charge.lineId, charge.currency);
    const known = most.get(key);
    if (known === undefined || known.chargedMinor <= charge.chargedMinor) most.set(key, charge);
  }
  return most;
}

/** What can be taken off an invoice. Null: it was voided, given up or deleted, so nothing can. */
export function creditableOf(
  invoice: ReadInvoice | null,
): Pick<CreditableInvoice, 'leftMinor' | 'isPaid'> | null {
  if (invoice === null) return null;
  const { status, currency, total, remaining, credited } = invoice;
  if (status !== 'open' && status !== 'paid') return null;
  const isPaid = status === 'paid';
  return { leftMinor: moneyOfStripe(isPaid ? total - credited : remaining, currency).amountMinor, isPaid };
}
