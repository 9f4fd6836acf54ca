import {
  currency,
  dataObject,
  id,
  instant,
  integer,
  list,
  minor,
  minorUnsigned,
  oneOf,
  openObject,
  optional,
  percent,
  quantity,
  text,
} from '../fields.js';
import { eventType } from './event-type.js';

const subscriptionItem = dataObject({
  itemId: id(),
  kind: oneOf(['plan', 'addon', 'bundle', 'package']),
  productId: id(),
  quantity: quantity(),
  unitAmountMinor: minor('price of one unit for one interval, before discounts'),
  interval: oneOf(['week', 'month', 'quarter', 'year']),
  intervalCount: integer('1: every interval; 3 with month: every three months', 1),
});

const discount = dataObject(
  { percentOff: optional(percent()), amountOffMinor: optional(minorUnsigned()), endsAt: optional(instant()) },
  [{ kind: 'exactly_one', fields: ['percentOff', 'amountOffMinor'] }],
);

const subscription = {
  subscriptionId: id(),
  currency: currency(),
  status: optional(
    oneOf(
      ['active', 'trialing', 'past_due', 'incomplete', 'unpaid', 'paused', 'canceled'],
      'none means active; trialing, incomplete, unpaid, paused and canceled have no MRR',
    ),
  ),
  discounts: optional(list(discount)),
  trialEndsAt: optional(instant()),
  billingAnchorAt: optional(instant('where billing periods are counted from; default: the start')),
  requestedAt: optional(instant()),
  effectiveAt: optional(instant('from when the state holds; default: time')),
  reason: optional(text()),
  partnerId: optional(id()),
};

const items = list(subscriptionItem, 'the WHOLE new state, not a patch');
const running = { ...subscription, items };
const ended = { ...subscription, items: optional(items) };

export const subscriptionEvents = {
  'subscription.started': eventType('billing', 'A subscription began.', running),
  'subscription.changed': eventType('billing', 'A subscription has a new state.', running),
  'subscription.resumed': eventType('billing', 'A paused subscription goes on.', running),
  'subscription.paused': eventType('billing', 'A subscription rests; its MRR is 0.', ended),
  'subscription.canceled': eventType('billing', 'A subscription ended; its MRR is 0.', ended),
  'contract.signed': eventType(
    'billing',
    'A contract with a term and a total, and what was agreed beyond the catalog.',
    {
      contractId: id(),
      startsAt: instant(),
      endsAt: instant(),
      totalMinor: minorUnsigned(),
      currency: currency(),
      overrides: optional(
        dataObject({
          prices: optional(openObject()),
          allowances: optional(openObject()),
          limits: optional(openObject()),
        }),
      ),
    },
    { rules: [{ kind: 'ordered', start: 'startsAt', end: 'endsAt' }] },
  ),
} as const;
