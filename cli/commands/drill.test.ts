import { expect, test } from 'vitest';
import { asMoney } from './drill.js';

test('the customers that an average is divided by are no money', () => {
  expect(asMoney('arpa', 'numerator', '31600', 'USD')).toBe(' ($316.00)');
  expect(asMoney('arpa', 'denominator', '4', 'USD')).toBe('');
});

test('a sum is money only where its metric is, and where the place names the currency', () => {
  expect(asMoney('mrr', 'value', '31600', 'reporting:USD')).toBe(' ($316.00)');
  expect(asMoney('mrr', 'value', '31600', undefined)).toBe('');
  expect(asMoney('customers', 'value', '4', 'USD')).toBe('');
  expect(asMoney('mrr', 'value', '0.5', 'USD')).toBe('');
});
