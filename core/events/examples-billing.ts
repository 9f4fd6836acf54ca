import { COMPANY_SUBJECT } from './event-type.js';
import { ORG, example } from './example-event.js';

export function subscriptionExamples() {
  const month = { interval: 'month', intervalCount: 1 } as const;
  const plan = {
    itemId: 'si_1',
    kind: 'plan',
    productId: 'growth',
    quantity: 1,
    unitAmountMinor: 9_900,
    ...month,
  } as const;
  const seats = {
    itemId: 'si_2',
    kind: 'addon',
    productId: 'seat',
    quantity: 3,
    unitAmountMinor: '1500',
    ...month,
  } as const;
  const subscription = { subscriptionId: 'sub_1', currency: 'USD' };
  return {
    ...example('subscription.started', ORG, '2026-01-19T09:00:00Z', {
      ...subscription,
      status: 'active',
      items: [plan],
      discounts: [{ percentOff: 10, endsAt: '2026-04-19T09:00:00Z' }],
    }),
    ...example('subscription.changed', ORG, '2026-02-10T10:00:00Z', {
      ...subscription,
      items: [plan, seats],
    }),
    ...example('subscription.paused', ORG, '2026-08-01T00:00:00Z', subscription),
    ...example('subscription.resumed', ORG, '2026-09-01T00:00:00Z', {
      ...subscription,
      items: [plan, seats],
    }),
    ...example('subscription.canceled', ORG, '2026-12-01T00:00:00Z', { ...subscription, reason: 'merged' }),
    ...example('contract.signed', ORG, '2026-01-15T16:00:00Z', {
      contractId: 'con_1',
      startsAt: '2026-02-01T00:00:00Z',
      endsAt: '2027-02-01T00:00:00Z',
      totalMinor: 1_200_000,
      currency: 'USD',
      overrides: { allowances: { ai_operations: '50000' } },
    }),
  };
}

export function invoiceExamples() {
  const invoice = { invoiceId: 'inv_1', currency: 'USD' };
  const payment = { ...invoice, paymentId: 'pay_1', amountMinor: 10_603 };
  const dispute = { ...invoice, disputeId: 'dsp_1', amountMinor: 10_603 };
  return {
    ...example('invoice.finalized', ORG, '2026-01-19T09:00:05Z', {
      ...invoice,
      subscriptionId: 'sub_1',
      totalMinor: 10_603,
      taxMinor: 1_693,
      lines: [
        {
          lineId: 'il_1',
          kind: 'subscription',
          productId: 'growth',
          amountMinor: 8_910,
          taxMinor: 1_693,
          quantity: 1,
          periodStart: '2026-01-19',
          periodEnd: '2026-02-19',
        },
      ],
    }),
    ...example('invoice.paid', ORG, '2026-01-19T09:01:00Z', payment),
    ...example('invoice.payment_failed', ORG, '2026-01-19T09:00:30Z', payment),
    ...example('invoice.voided', ORG, '2026-03-01T00:00:00Z', { invoiceId: 'inv_2' }),
    ...example('invoice.uncollectible', ORG, '2026-03-02T00:00:00Z', { invoiceId: 'inv_3' }),
    ...example('credit_note.issued', ORG, '2026-02-01T10:00:00Z', {
      ...invoice,
      creditNoteId: 'cn_1',
      lines: [{ lineId: 'il_1', amountMinor: 1_000, taxMinor: 190 }],
    }),
    ...example('invoice.refunded', ORG, '2026-02-01T10:05:00Z', {
      ...invoice,
      refundId: 'ref_1',
      amountMinor: 1_190,
    }),
    ...example('dispute.opened', ORG, '2026-02-20T00:00:00Z', dispute),
    ...example('dispute.closed', ORG, '2026-03-05T00:00:00Z', { ...dispute, outcome: 'won' }),
  };
}

export function ledgerExamples() {
  const payout = { partnerId: 'ptr_1', payoutId: 'po_1', amountMinor: 1_782, currency: 'USD' };
  return {
    ...example('spend.recorded', COMPANY_SUBJECT, '2026-02-01T00:00:00Z', {
      spendId: 'spd_1',
      category: 'marketing',
      channel: 'search',
      amountMinor: 500_000,
      currency: 'USD',
      periodStart: '2026-01-01',
      periodEnd: '2026-02-01',
    }),
    ...example('marketplace.sale', 'ptr_vendor', '2026-02-03T00:00:00Z', {
      saleId: 'sale_1',
      packageId: 'pkg_sync',
      vendorPartnerId: 'ptr_vendor',
      grossMinor: 4_900,
      currency: 'USD',
    }),
    ...example('credit.granted', ORG, '2026-02-05T00:00:00Z', {
      creditId: 'crd_1',
      meter: 'ai_operations',
      quantity: '1000',
      reason: 'apology for the outage of 4 February',
    }),
    ...example('commission.posted', 'ptr_1', '2026-01-19T09:01:00Z', {
      partnerId: 'ptr_1',
      lineId: 'cl_1',
      amountMinor: 1_782,
      currency: 'USD',
    }),
    ...example('payout.paid', 'ptr_1', '2026-03-15T00:00:00Z', payout),
    ...example('payout.returned', 'ptr_1', '2026-03-18T00:00:00Z', payout),
    ...example('fx.rate_published', COMPANY_SUBJECT, '2026-01-31T16:00:00Z', {
      base: 'EUR',
      quote: 'USD',
      rate: '1.0834',
      date: '2026-01-31',
      source: 'ecb',
    }),
  };
}
