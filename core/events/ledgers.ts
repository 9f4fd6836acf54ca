import {
  currency,
  dateOrInstant,
  id,
  instant,
  integer,
  minor,
  minorUnsigned,
  oneOf,
  optional,
  quantity,
  rate,
  text,
} from '../fields.js';
import { eventType, ofCompany, ofPartner, ofVendor } from './event-type.js';

const ledgerEntry = {
  partnerId: id(),
  lineId: optional(id()),
  payoutId: optional(id()),
  amountMinor: minor('signed: a reversal is negative'),
  currency: currency(),
};
const payout = { ...ledgerEntry, payoutId: id() };

/** Money that is not a customer's invoice: spend, sales of others, credits, partners' ledgers, rates. */
export const ledgerEvents = {
  'spend.recorded': eventType(
    'billing',
    'What the company spent to win and serve customers.',
    {
      spendId: id(),
      category: oneOf(['marketing', 'sales', 'support', 'infrastructure']),
      channel: optional(text()),
      segment: optional(text()),
      amountMinor: minor(),
      currency: currency(),
      periodStart: dateOrInstant(),
      periodEnd: dateOrInstant(),
    },
    { rules: [{ kind: 'ordered', start: 'periodStart', end: 'periodEnd' }], subject: ofCompany },
  ),
  'marketplace.sale': eventType(
    'billing',
    "A vendor's package was sold through the marketplace.",
    {
      saleId: id(),
      packageId: id(),
      vendorPartnerId: id(),
      grossMinor: minor(),
      currency: currency(),
    },
    { subject: ofVendor },
  ),
  'credit.granted': eventType(
    'billing',
    'A customer was given an amount, or a quantity of a meter, to use up.',
    {
      creditId: id(),
      amountMinor: optional(minorUnsigned()),
      currency: optional(currency()),
      meter: optional(id()),
      quantity: optional(quantity()),
      priority: optional(integer('lower is used first')),
      expiresAt: optional(instant()),
      reason: text(),
    },
    {
      rules: [
        { kind: 'exactly_one', fields: ['amountMinor', 'meter'] },
        { kind: 'needs', field: 'amountMinor', companion: 'currency' },
        { kind: 'needs', field: 'meter', companion: 'quantity' },
      ],
    },
  ),
  'commission.posted': eventType(
    'billing',
    "A commission was posted to a partner's ledger.",
    {
      ...ledgerEntry,
      lineId: id(),
    },
    { subject: ofPartner },
  ),
  'payout.paid': eventType('billing', 'A partner was paid.', payout, { subject: ofPartner }),
  'payout.returned': eventType('billing', "A payout came back from the partner's bank.", payout, {
    subject: ofPartner,
  }),
  'fx.rate_published': eventType(
    'billing',
    'An exchange rate: one unit of base costs `rate` units of quote.',
    {
      base: currency(),
      quote: currency(),
      rate: rate(),
      date: dateOrInstant(),
      source: text('who published it'),
    },
    { subject: ofCompany },
  ),
} as const;
