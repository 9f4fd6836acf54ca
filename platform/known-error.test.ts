import { expect, test } from 'vitest';
import { InputError, InvariantError, UnavailableError } from '../core/errors.js';
import { knownError } from './known-error.js';

test('what a library wraps comes out again', () => {
  const stopped = new UnavailableError('sql_unavailable', 'the store stopped');
  expect(knownError(new Error('Failed query: insert …', { cause: stopped }))).toBe(stopped);
  const input = new InputError('invalid_json', 'no JSON');
  expect(knownError(input)).toBe(input);
});

// The words as they were seen on a full tmpfs and under a file-size limit.
test.each([
  new Error('Failed query: insert into "runs" …', {
    cause: new Error('could not extend file "base/5/16404": No space left on device'),
  }),
  new Error("ENOSPC: no space left on device, rename '/data/tmp/build' -> '/data/runs/run_1'"),
  new Error('EFBIG: file too large, write'),
  new InvariantError('warehouse statement: IO Error: Could not write to file "x": No space left on device'),
])('a full disk is one error, whoever says so', (error) => {
  expect(knownError(error)).toMatchObject({ code: 'disk_full', retryable: true, cause: error });
});

test('anything else stays what it is', () => {
  const error = new TypeError('x is not a function');
  expect(knownError(error)).toBe(error);
  expect(knownError('thrown text')).toBe('thrown text');
});
