import type Stripe from 'stripe';
import { moneyOfStripe } from '../../platform/outbound/stripe/stripe-amounts.js';
import type { Money } from '../../core/money.js';
import { INTENT_MARK } from '../../platform/outbound/intent.js';

const isMarked = ({ metadata }: { readonly metadata: Stripe.Metadata | null }): boolean =>
  metadata?.[INTENT_MARK] !== undefined;

interface Customer {
  readonly orgId: string;
  readonly customerId: string;
}

/** What stands at Stripe of some customers: ours, by its mark, and what others made. */
export class CustomersAtStripe {
  private foreign: ReadonlyMap<string, unknown> = new Map();

  constructor(
    private readonly stripe: Stripe,
    private readonly customers: readonly Customer[],
  ) {}

  /** A pending item, and a draft with a line, of each. */
  async leaveForeignThings(): Promise<void> {
    const { stripe } = this;
    for (const { customerId: customer } of this.customers) {
      await stripe.invoiceItems.create({ customer, amount: 777, currency: 'usd', description: 'pending' });
      const { id } = await stripe.invoices.create({ customer, auto_advance: false, currency: 'usd' });
      await stripe.invoiceItems.create({
        customer,
        amount: 1_234,
        currency: 'usd',
        ...(id && { invoice: id }),
      });
    }
    this.foreign = await this.foreignThings();
  }

  /** As they were left, and as they are. */
  async foreignBeforeAndNow(): Promise<[unknown, unknown]> {
    return [this.foreign, await this.foreignThings()];
  }

  /** What they were charged, invoice by invoice, and credited, below 0. */
  async charged(): Promise<(Money & { readonly orgId: string })[]> {
    const orgOf = new Map(this.customers.map(({ orgId, customerId }) => [customerId, orgId]));
    const invoices = (await this.ourInvoices()).filter(({ status }) => status !== 'draft');
    return [
      ...invoices,
      ...(await this.ourCreditNotes()).map((note) => ({ ...note, total: -note.amount })),
    ].map(({ customer, total, currency }) => ({
      orgId: orgOf.get(typeof customer === 'string' ? customer : '') ?? '',
      ...moneyOfStripe(BigInt(total), currency.toUpperCase()),
    }));
  }

  async ourCreditNotes(): Promise<Stripe.CreditNote[]> {
    const pages = this.customers.map(({ customerId }) =>
      this.stripe.creditNotes.list({ customer: customerId, limit: 100 }).autoPagingToArray({ limit: 1_000 }),
    );
    return (await Promise.all(pages)).flat().filter(isMarked);
  }

  /** Of invoices that are not paid yet, the one at a place, as if by a transfer. */
  async payOne(place: (count: number) => number): Promise<void> {
    const open = (await this.ourInvoices()).filter(({ status }) => status === 'open');
    const one = open[place(open.length)];
    if (one?.id !== undefined) await this.stripe.invoices.pay(one.id, { paid_out_of_band: true });
  }

  async ourInvoices(): Promise<Stripe.Invoice[]> {
    return (await this.invoices()).filter(isMarked);
  }

  async ourItems(): Promise<Stripe.InvoiceItem[]> {
    return (await this.items()).filter(isMarked);
  }

  private async foreignThings(): Promise<ReadonlyMap<string, unknown>> {
    const invoices = (await this.invoices()).filter((one) => !isMarked(one));
    const items = (await this.items()).filter((one) => !isMarked(one));
    return new Map<string, unknown>([
      ...invoices.map(({ id, status, total }): [string, unknown] => [id, { status, total }]),
      ...items.map(({ id, invoice, amount }): [string, unknown] => [id, { invoice, amount }]),
    ]);
  }

  private async invoices(): Promise<Stripe.Invoice[]> {
    const pages = this.customers.map(({ customerId }) =>
      this.stripe.invoices.list({ customer: customerId, limit: 100 }).autoPagingToArray({ limit: 1_000 }),
    );
    return (await Promise.all(pages)).flat();
  }

  private async items(): Promise<Stripe.InvoiceItem[]> {
    const pages = this.customers.map(({ customerId }) =>
      this.stripe.invoiceItems.list({ customer: customerId, limit: 100 }).autoPagingToArray({ limit: 5_000 }),
    );
    return (await Promise.all(pages)).flat();
  }
}
