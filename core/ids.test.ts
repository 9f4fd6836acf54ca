import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { derivedId, newId } from './ids.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const anyRandom = fc.uint8Array({ minLength: 10, maxLength: 10 });
const anyTime = fc.bigInt({ min: 0n, max: 10n ** 17n });

test('an id is prefix, time and randomness in base 32', () => {
  // 1 ms is 0000000001; 32 ms are 0000000010; ten bytes of 255 are sixteen times 31, the letter z.
  expect(newId('inv', 1_000n, new Uint8Array(10))).toBe('inv_00000000010000000000000000');
  expect(newId('inv', 32_000n, new Uint8Array(10).fill(255))).toBe('inv_0000000010zzzzzzzzzzzzzzzz');
});

test('ids made later sort later, whatever their randomness', () => {
  fc.assert(
    fc.property(anyTime, anyTime, anyRandom, anyRandom, (a, b, left, right) => {
      fc.pre(a / 1000n < b / 1000n);
      expect(newId('run', a, left) < newId('run', b, right)).toBe(true);
    }),
  );
});

test('other random bytes give another id at the same time', () => {
  fc.assert(
    fc.property(anyTime, anyRandom, anyRandom, (time, a, b) => {
      expect(newId('run', time, a) === newId('run', time, b)).toBe(Buffer.compare(a, b) === 0);
    }),
  );
});

test('the same parts always give the same derived id, other parts another', () => {
  expect(derivedId('cl', ['inv_1', 'il_1'], sha256)).toBe(derivedId('cl', ['inv_1', 'il_1'], sha256));
  expect(derivedId('cl', ['a', 'b'], sha256)).not.toBe(derivedId('cl', ['a,b'], sha256));
  expect(derivedId('cl', ['ab', ''], sha256)).not.toBe(derivedId('cl', ['a', 'b'], sha256));
});

test('a wrong prefix, too little randomness or a weak hash is a broken invariant', () => {
  expect(() => newId('Inv', 0n, new Uint8Array(10))).toThrow('prefix');
  expect(() => newId('inv', 0n, new Uint8Array(9))).toThrow('10 bytes');
  expect(() => newId('inv', -1n, new Uint8Array(10))).toThrow('1970');
  expect(() => derivedId('cl', [], () => 'abc')).toThrow('128 bits');
});
