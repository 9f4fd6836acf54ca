import fc from 'fast-check';
import { expect, test } from 'vitest';
import { didYouMean, editDistance, nearest } from './suggest.js';

test.each([
  ['kitten', 'sitting', 3],
  ['', 'abc', 3],
  ['abc', 'abc', 0],
  ['teh', 'the', 1],
])('%s is %s away from being %s', (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
});

test('distance is symmetric, and 0 only for the same word', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b) === 0).toBe(a === b);
    }),
  );
});

test('a near word is suggested, a far one is not', () => {
  expect(nearest('exection.started', ['execution.started', 'execution.failed'])).toBe('execution.started');
  expect(nearest('banana', ['execution.started'])).toBeUndefined();
  expect(didYouMean('ai_operation', ['ai_operations'])).toBe('; did you mean "ai_operations"?');
  expect(didYouMean('x'.repeat(1_000_000), ['ai_operations'])).toBe('');
});
