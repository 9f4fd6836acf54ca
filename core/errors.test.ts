import { expect, test } from 'vitest';
import {
  HeadgateError,
  InputError,
  InvariantError,
  RefusedError,
  UnavailableError,
  invariant,
} from './errors.js';

test('callers can tell by class, code and retryable what to do', () => {
  const errors = [
    new InputError('invalid_json', 'line 3 is not JSON'),
    new RefusedError('no_run', 'no run yet; run headgate transform', { status: 404 }),
    new UnavailableError('queue_full', 'the queue is full; try again in a second', { status: 429 }),
    new InvariantError('must hold'),
  ];
  expect(errors.map(({ name, code, retryable, status }) => [name, code, retryable, status])).toEqual([
    ['InputError', 'invalid_json', false, 400],
    ['RefusedError', 'no_run', false, 404],
    ['UnavailableError', 'queue_full', true, 429],
    ['InvariantError', 'invariant_broken', false, 500],
  ]);
  expect(errors.every((error) => error instanceof HeadgateError && error instanceof Error)).toBe(true);
});

test('an error keeps its cause and its facts', () => {
  const cause = new Error('EACCES');
  const error = new InputError('file_not_found', 'no such file', { cause, details: { file: 'a.ndjson' } });
  expect([error.cause, error.details]).toEqual([cause, { file: 'a.ndjson' }]);
});

test('what must hold and does not is thrown with its reason', () => {
  expect(() => {
    invariant(Number('1') > 2, 'one is not more than two');
  }).toThrow(new InvariantError('one is not more than two'));
});
