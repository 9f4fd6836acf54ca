import {
  currency,
  dataObject,
  dateOrInstant,
  id,
  list,
  minor,
  minorUnsigned,
  oneOf,
  optional,
  quantitySigned,
  text,
} from '../fields.js';
import { eventType } from './event-type.js';

const invoiceLine = dataObject(
  {
    lineId: id(),
    kind: oneOf(['subscription', 'overage', 'services', 'addon', 'licence', 'marketplace']),
    productId: optional(id()),
    description: optional(text()),
    amountMinor: minor('net of discounts and tax; negative for a credit'),
    taxMinor: optional(minor()),
    quantity: optional(quantitySigned()),
    periodStart: optional(dateOrInstant('service period, inclusive')),
    periodEnd: optional(dateOrInstant('service period, exclusive')),
  },
  [{ kind: 'ordered', start: 'periodStart', end: 'periodEnd' }],
);

const payment = {
  invoiceId: id(),
  paymentId: optional(id()),
  amountMinor: optional(minorUnsigned()),
  currency: optional(currency()),
};
const amountNeedsCurrency = {
  rules: [{ kind: 'needs', field: 'amountMinor', companion: 'currency' }],
} as const;

const dispute = {
  disputeId: id(),
  invoiceId: id(),
  amountMinor: minorUnsigned(),
  currency: currency(),
  outcome: optional(oneOf(['won', 'lost'])),
};

export const invoiceEvents = {
  'invoice.finalized': eventType('billing', 'An invoice was issued; it no longer changes.', {
    invoiceId: id(),
    subscriptionId: optional(id()),
    currency: currency(),
    totalMinor: minor(),
    taxMinor: optional(minor()),
    lines: list(invoiceLine),
  }),
  'invoice.paid': eventType(
    'billing',
    'One payment of an invoice, in part or in full.',
    payment,
    amountNeedsCurrency,
  ),
  'invoice.payment_failed': eventType(
    'billing',
    'A payment was tried and failed.',
    payment,
    amountNeedsCurrency,
  ),
  'invoice.voided': eventType(
    'billing',
    'An invoice was withdrawn; it is owed no longer.',
    payment,
    amountNeedsCurrency,
  ),
  'invoice.uncollectible': eventType('billing', 'An invoice was given up.', payment, amountNeedsCurrency),
  'credit_note.issued': eventType('billing', 'Part of an invoice was credited.', {
    creditNoteId: id(),
    invoiceId: id(),
    currency: currency(),
    lines: list(
      dataObject({ lineId: id(), amountMinor: minorUnsigned(), taxMinor: optional(minorUnsigned()) }),
    ),
  }),
  'invoice.refunded': eventType('billing', 'Money went back to the customer.', {
    invoiceId: id(),
    refundId: id(),
    currency: currency(),
    amountMinor: minorUnsigned('includes tax'),
    lines: optional(
      list(dataObject({ lineId: id(), amountMinor: minorUnsigned() }), 'none: spread over the invoice lines'),
    ),
  }),
  'dispute.opened': eventType('billing', 'The customer disputes a payment.', dispute),
  'dispute.closed': eventType('billing', 'A dispute was decided.', dispute),
} as const;
