import { expect, test } from 'vitest';
import { parseDecimal } from '../../core/decimal.js';
import { validateEvent } from '../../core/events/validate-event.js';
import { parseInstant } from '../../core/time.js';
import type { InvoiceStory, StoryLine } from '../../platform/outbound/stripe/read-invoice-story.js';
import type { ReadPrice } from '../../platform/outbound/stripe/read-price.js';
import { eventLine, sourceOf, type Fact } from './fact.js';
import { invoiceFacts } from './invoice-facts.js';

const ACCOUNT = { account: 'acct_1', mode: 'test' } as const;
// 2026-09-01T00:00:00Z, and a day, a month later.
const AT = 1_788_220_800;
const DAY = 86_400;

const price = (more: Partial<ReadPrice> = {}): ReadPrice => ({
  ...{ priceId: 'price_1', productId: 'growth', kind: null, every: { interval: 'month', count: 1 } },
  ...{ isMetered: false, unit: parseDecimal('4900'), tiers: null, packages: null },
  ...more,
});
const line = (more: Partial<StoryLine> = {}): StoryLine => ({
  ...{ lineId: 'il_1', description: 'a line', net: 1_000n, tax: 0n, quantity: '1' },
  ...{ periodStart: AT, periodEnd: AT + 30 * DAY, isOfSubscription: true, price: price(), metadata: {} },
  ...more,
});
const story = (more: Partial<InvoiceStory> = {}): InvoiceStory => ({
  ...{ invoiceId: 'in_1', customerId: 'cus_1', subscriptionId: null, status: 'open', currency: 'USD' },
  ...{ metadata: {}, total: 1_000n, tax: 0n, paid: 0n, remaining: 1_000n, finalizedAt: AT, dueAt: null },
  ...{ paidAt: null, voidedAt: null, uncollectibleAt: null, attemptCount: 0, isAttempted: false },
  ...{ nextPaymentAttemptAt: null, lines: [line()], payments: [], charges: [] },
  ...{ creditNotes: [], refunds: [], disputes: [] },
  ...more,
});
const kindOf = (productId: string) => (productId === 'seats' ? ('addon' as const) : null);
const facts = (more: Partial<InvoiceStory>): Fact[] => {
  const all = invoiceFacts(story(more), ACCOUNT, kindOf);
  for (const one of all) {
    // What comes out is always an event that the contract takes.
    const event: unknown = JSON.parse(eventLine(one, sourceOf(ACCOUNT), 'org_1'));
    expect(validateEvent(event, parseInstant('2100-01-01T00:00:00Z'), 0)).toMatchObject({ ok: true });
  }
  return all;
};
const finalizedLine = (more: Partial<StoryLine>, of: Partial<InvoiceStory> = {}): unknown =>
  (facts({ ...of, lines: [line(more)] })[0]?.data['lines'] as unknown[])[0];

test.each([
  ['of a plan', {}, 'subscription'],
  ['of what the catalog has as an add-on', { price: price({ productId: 'seats' }) }, 'addon'],
  ['of a price by use', { price: price({ isMetered: true }) }, 'overage'],
  ['of a price that is marked', { price: price({ kind: 'licence' }) }, 'licence'],
  ['that is marked itself', { metadata: { headgate_kind: 'marketplace' } }, 'marketplace'],
  ['of what is paid once', { isOfSubscription: false, price: price({ every: null }) }, 'services'],
  ['of no price at all', { isOfSubscription: false, price: null }, 'services'],
  [
    'of our own',
    { isOfSubscription: false, price: null, metadata: { intent_id: 'int_1', meter: 'tasks' } },
    'overage',
  ],
])('a line %s is %s', (_, more, kind) => {
  expect(finalizedLine(more)).toMatchObject({ kind });
});

test('a line of ours is of its meter, for its period, and says no quantity: that is not what was used', () => {
  const ours = { isOfSubscription: false, price: null, metadata: { intent_id: 'int_1', meter: 'tasks' } };
  expect(finalizedLine(ours)).toEqual({
    ...{ lineId: 'il_1', kind: 'overage', productId: 'tasks', description: 'a line', amountMinor: 1_000n },
    ...{ periodStart: '2026-09-01T00:00:00Z', periodEnd: '2026-10-01T00:00:00Z' },
  });
});

test("Stripe's minor unit is turned into ISO's: 5 krónur are 500 there, 5.120 dinars are 5120", () => {
  expect(finalizedLine({ net: 500n }, { currency: 'ISK', total: 500n })).toMatchObject({ amountMinor: 5n });
  expect(finalizedLine({ net: 5_120n }, { currency: 'KWD', total: 5_120n })).toMatchObject({
    amountMinor: 5_120n,
  });
});

test('a service at one instant has no period', () => {
  expect(finalizedLine({ periodEnd: AT })).not.toHaveProperty('periodStart');
});

test('each payment is one, and what was paid outside of Stripe is another', () => {
  const paid = facts({
    ...{ status: 'paid', paid: 1_000n, remaining: 0n, paidAt: AT + 2 * DAY },
    payments: [{ paymentId: 'inpay_1', intentId: 'pi_1', amount: 300n, paidAt: AT + DAY }],
  }).filter(({ type }) => type === 'invoice.paid');
  expect(paid.map(({ factId, data }) => [factId, data['paymentId'], data['amountMinor']])).toEqual([
    ['invoice.paid/inpay_1', 'pi_1', 300n],
    ['invoice.paid/in_1/outside', 'in_1/outside', 700n],
  ]);
});

test('every attempt that failed is told, and none that did not', () => {
  const charges = [
    { chargeId: 'ch_1', status: 'failed', amount: 1_000n, at: AT },
    { chargeId: 'ch_2', status: 'pending', amount: 1_000n, at: AT + DAY },
    { chargeId: 'ch_3', status: 'succeeded', amount: 1_000n, at: AT + 2 * DAY },
  ];
  const failed = facts({ charges }).filter(({ type }) => type === 'invoice.payment_failed');
  expect(failed.map(({ factId }) => factId)).toEqual(['invoice.payment_failed/ch_1']);
});

test('a credit that names no line is spread over the lines by what they ask for, to the last cent', () => {
  // $1.00 over $7.00 and $3.00 and nothing of a line that gives back: 70 and 30 cents.
  const lines = [
    line({ lineId: 'il_1', net: 700n }),
    line({ lineId: 'il_2', net: 300n }),
    line({ lineId: 'il_3', net: -50n }),
  ];
  const creditNotes = [
    { noteId: 'cn_1', at: AT, voidedAt: null, lines: [{ lineId: null, net: 100n, tax: 0n }] },
  ];
  const [note] = facts({ lines, creditNotes }).filter(({ type }) => type === 'credit_note.issued');
  expect(note?.data['lines']).toEqual([
    { lineId: 'il_1', amountMinor: 70n },
    { lineId: 'il_2', amountMinor: 30n },
  ]);
});

test('a note that was voided is told and taken back', () => {
  const creditNotes = [
    { noteId: 'cn_1', at: AT, voidedAt: AT + DAY, lines: [{ lineId: 'il_1', net: 100n, tax: 19n }] },
  ];
  const [, issued, voided] = facts({ creditNotes });
  expect(issued?.data['lines']).toEqual([{ lineId: 'il_1', amountMinor: 100n, taxMinor: 19n }]);
  expect(voided).toMatchObject({
    ...{ factId: 'event.voided/credit_note.issued/cn_1', takesBack: 'credit_note.issued/cn_1' },
    data: {
      targetType: 'credit_note.issued',
      targetSource: 'stripe/acct_1/test',
      targetId: 'credit_note.issued/cn_1',
    },
  });
});

test('money is back when the refund succeeded, not while it is under way, and not when it failed', () => {
  const told = (status: string) =>
    facts({ refunds: [{ refundId: 're_1', status, amount: 100n, at: AT }] })
      .slice(1)
      .map(({ factId, takesBack }) => [factId, takesBack]);
  expect(told('succeeded')).toEqual([['invoice.refunded/re_1', null]]);
  expect(told('pending')).toEqual([]);
  expect(told('failed')).toEqual([['event.voided/invoice.refunded/re_1', 'invoice.refunded/re_1']]);
});

test('a dispute opens, and closes with its outcome; an inquiry is none', () => {
  const told = (status: string, closedAt: number | null) =>
    facts({ disputes: [{ disputeId: 'du_1', status, amount: 1_000n, at: AT, closedAt }] })
      .slice(1)
      .map(({ type, data }) => [type, data['outcome']]);
  expect(told('needs_response', null)).toEqual([['dispute.opened', undefined]]);
  expect(told('lost', AT + DAY)).toEqual([
    ['dispute.opened', undefined],
    ['dispute.closed', 'lost'],
  ]);
  expect(told('warning_needs_response', null)).toEqual([]);
});
