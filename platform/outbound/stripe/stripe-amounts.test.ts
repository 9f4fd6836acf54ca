import { expect, test } from 'vitest';
import { CURRENCY_CODES } from '../../../core/currencies.js';
import { currencyOf, digitsOf, stepOf } from '../../../fixtures/stripe/catalog/currencies.js';
import { chargeable, isChargeable, moneyOfStripe, stripeAmount } from './stripe-amounts.js';

test.each([
  // From Stripe's page on currencies: $10, ¥500, 5 ISK and UGX written with two zeros, 5.120 KWD, 5 ariary.
  [1_000n, 'USD', 1_000],
  [500n, 'JPY', 500],
  [5n, 'ISK', 500],
  [5n, 'UGX', 500],
  [5_120n, 'KWD', 5_120],
  [500n, 'MGA', 5],
])('%d minor units of %s are %d at Stripe, and back', (amountMinor, currency, amount) => {
  expect(stripeAmount({ amountMinor, currency })).toBe(amount);
  expect(moneyOfStripe(BigInt(amount), currency)).toEqual({ amountMinor, currency });
});

test.each([
  ['USD', { unitMinor: 1n, leastMinor: 50n, mostMinor: 99_999_999n }],
  ['JPY', { unitMinor: 1n, leastMinor: 50n, mostMinor: 99_999_999n }],
  ['KWD', { unitMinor: 10n, leastMinor: 0n, mostMinor: 99_999_999n }],
  ['ISK', { unitMinor: 1n, leastMinor: 0n, mostMinor: 999_999n }],
  ['MGA', { unitMinor: 100n, leastMinor: 0n, mostMinor: 9_999_999_900n }],
])('what can be charged in %s', (currency, expected) => {
  expect(chargeable(currency)).toEqual(expected);
});

test('every currency of ISO’s is chargeable when the other side knows it, in its digits and steps', () => {
  const isKnown = (currency: string): boolean => {
    try {
      return currencyOf(currency) !== '';
    } catch {
      return false;
    }
  };
  expect(CURRENCY_CODES.filter(isChargeable)).toEqual(CURRENCY_CODES.filter(isKnown));
  for (const currency of CURRENCY_CODES.filter(isChargeable)) {
    const { unitMinor } = chargeable(currency);
    const amount = stripeAmount({ amountMinor: unitMinor, currency });
    expect([currency, amount]).toEqual([
      currency,
      digitsOf(currency.toLowerCase()) === 0 ? 1 : stepOf(currency.toLowerCase()),
    ]);
  }
});
