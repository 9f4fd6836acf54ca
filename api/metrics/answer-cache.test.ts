import { expect, test } from 'vitest';
import { AnswerCache } from './answer-cache.js';

/** An answer of a known length, with how often it was made. */
function counted(text: string) {
  let made = 0;
  return {
    make: () => {
      made += 1;
      return Promise.resolve(text);
    },
    times: () => made,
  };
}

test('an answer is made once, also for those who ask while it is being made', async () => {
  const cache = new AnswerCache(1000);
  const one = counted('one');
  const answers = await Promise.all([cache.answer('k', one.make), cache.answer('k', one.make)]);
  expect(answers).toEqual(['one', 'one']);
  expect(await cache.answer('k', one.make)).toBe('one');
  expect(one.times()).toBe(1);
});

test('the answer asked for longest ago goes first when memory runs short', async () => {
  // A key of 1 and an answer of 4 make 5: two fit in 10, three do not.
  const cache = new AnswerCache(10);
  const [a, b, c] = [counted('aaaa'), counted('bbbb'), counted('cccc')];
  await cache.answer('a', a.make);
  await cache.answer('b', b.make);
  await cache.answer('a', a.make);
  await cache.answer('c', c.make);
  await cache.answer('a', a.make);
  await cache.answer('b', b.make);
  expect([a.times(), b.times(), c.times()]).toEqual([1, 2, 1]);
});

test('an answer larger than all the memory is given and not kept', async () => {
  const cache = new AnswerCache(10);
  const large = counted('x'.repeat(11));
  await cache.answer('k', large.make);
  await cache.answer('k', large.make);
  expect(large.times()).toBe(2);
});

test('a failure is told to all who waited, and is not kept', async () => {
  const cache = new AnswerCache(1000);
  let attempts = 0;
  const failing = () => {
    attempts += 1;
    return Promise.reject(new Error('down'));
  };
  const ask = async () => cache.answer('k', failing);
  const both = await Promise.allSettled([ask(), ask()]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(attempts).toBe(1);
  expect(await cache.answer('k', () => Promise.resolve('up'))).toBe('up');
});
