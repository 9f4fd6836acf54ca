import { MICROS_PER_SECOND, type Period } from '../../core/time.js';
import type { ReadInvoice } from '../../platform/outbound/stripe/read-invoice.js';
import { stripeAmount } from '../../platform/outbound/stripe/stripe-amounts.js';

/** An item that must stand on the invoice. */
export interface ExpectedItem {
  readonly intentId: string;
  /** As the other side named it when it was made. */
  readonly itemId: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly period: Period;
}

export const BREAK_CAUSES = [
  'missing',
  'duplicate',
  'amount',
  'currency',
  'period',
  'customer',
  'foreign',
  'total',
  'usage',
] as const;

/** One way in which an invoice is not what was rated. */
export interface Break {
  readonly cause: (typeof BREAK_CAUSES)[number];
  /** What is wrong and what to do. */
  readonly message: string;
}

/**
 * Holds an invoice against what must stand on it, one to one. Amounts are compared in Stripe's unit, to the last one; nothing is close
 * enough.
 *
 * @returns nothing when it may be made final
 */
export function reconcileInvoice(
  invoice: ReadInvoice,
  expected: readonly ExpectedItem[],
  customerId: string,
): Break[] {
  const { invoiceId, lines } = invoice;
  const known = new Set(expected.map(({ itemId }) => itemId));
  const foreign = lines.filter(({ itemId }) => itemId === null || !known.has(itemId));
  const total = expected.reduce(
    (sum, { amountMinor, currency }) => sum + stripeAmount({ amountMinor, currency }),
    0,
  );
  return [
    ...(invoice.status === 'void'
      ? [
          broken(
            'missing',
            `${invoiceId} was voided at Stripe; withdraw its bill, and the next run bills it anew`,
          ),
        ]
      : []),
    ...(invoice.customerId === customerId
      ? []
      : [
          broken(
            'customer',
            `${invoiceId} is of ${invoice.customerId ?? 'nobody'} and should be of ${customerId}; void it`,
          ),
        ]),
    ...expected.flatMap((item) => breaksOf(item, invoice)),
    ...foreign.map(({ lineId, itemId, amount }) =>
      broken(
        'foreign',
        `${invoiceId} has ${itemId ?? lineId} of ${amount}, which is not ours; take it off the draft, or bill it apart`,
      ),
    ),
    ...(invoice.total === BigInt(total)
      ? []
      : [
          broken(
            'total',
            `${invoiceId} comes to ${invoice.total} and its items to ${total}; a tax, a discount or a line that is not ours makes the difference`,
          ),
        ]),
  ];
}

function breaksOf(item: ExpectedItem, { invoiceId, lines, currency }: ReadInvoice): Break[] {
  const [line, ...more] = lines.filter(({ itemId }) => itemId === item.itemId);
  if (line === undefined) {
    return [
      broken(
        'missing',
        `${invoiceId} lacks ${item.itemId} (${item.intentId}); it was deleted or moved: put it back, or delete the draft`,
      ),
    ];
  }
  const amount = BigInt(stripeAmount(item));
  const start = Number(item.period.start / MICROS_PER_SECOND);
  const end = Number(item.period.end / MICROS_PER_SECOND);
  const name = `${item.itemId} on ${invoiceId}`;
  return [
    ...(more.length === 0 ? [] : [broken('duplicate', `${name} stands there ${more.length + 1} times`)]),
    ...(line.amount === amount
      ? []
      : [broken('amount', `${name} is ${line.amount} and should be ${amount}; set it back`)]),
    ...(line.currency === item.currency && currency === item.currency
      ? []
      : [broken('currency', `${name} is in ${line.currency} and should be in ${item.currency}`)]),
    ...(line.periodStart === start && line.periodEnd === end
      ? []
      : [broken('period', `${name} is for another period than it was rated for; set it back`)]),
  ];
}

function broken(cause: Break['cause'], message: string): Break {
  return { cause, message };
}
