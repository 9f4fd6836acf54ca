import { expect, test } from 'vitest';
import { InputError, InvariantError, RefusedError, UnavailableError } from '../core/errors.js';
import { problemOf, problemResponse } from './problem.js';

test('an error that we did not make says only that it happened, and where to look', () => {
  for (const error of [
    new Error('password of ana is x'),
    new InvariantError('row 7 of orgs'),
    'text',
    null,
  ]) {
    const problem = problemOf(error, 'r-1');
    expect(problem).toEqual({
      type: '/docs/problems/internal',
      title: 'internal error',
      status: 500,
      detail: 'something went wrong on our side; the log has it under request r-1',
      code: 'internal',
      retryable: false,
      request_id: 'r-1',
    });
  }
});

test('an error of ours goes out with its code, its details, and never its cause', () => {
  const error = new InputError('invalid_event', 'the event is not valid', {
    details: { path: 'data' },
    cause: new Error('secret'),
  });
  const text = JSON.stringify(problemOf(error, 'r-2'));
  expect(JSON.parse(text)).toMatchObject({ code: 'invalid_event', status: 400, details: { path: 'data' } });
  expect(text).not.toContain('secret');
});

test('whoever is turned away for now is told when to come back; whoever is refused is not', () => {
  const after = (error: unknown) => problemResponse(problemOf(error, 'r')).headers.get('retry-after');
  expect(after(new UnavailableError('queue_full', 'full', { details: { retryAfterSeconds: 1.2 } }))).toBe(
    '2',
  );
  expect(after(new UnavailableError('unavailable', 'away'))).toBe('5');
  expect(after(new UnavailableError('rate_limited', 'often', { status: 429 }))).toBe('5');
  expect(after(new RefusedError('conflict', 'no'))).toBeNull();
  expect(after(new Error('ours'))).toBeNull();
});

test('big integers in details are digits', () => {
  const response = problemResponse(
    problemOf(new RefusedError('conflict', 'no', { details: { offset: 2n ** 60n } }), 'r'),
  );
  return expect(response.json()).resolves.toMatchObject({ details: { offset: '1152921504606846976' } });
});
