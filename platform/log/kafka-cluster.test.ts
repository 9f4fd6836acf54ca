import { expect, test } from 'vitest';
import { whileLeadersMove } from './kafka-cluster.js';

/** As kafkajs words what a broker answers. */
const answer = (type: string): Error => Object.assign(new Error(type), { type });

function failing(...types: readonly string[]) {
  const left = [...types];
  let asked = 0;
  return {
    work: () => {
      asked += 1;
      const type = left.shift();
      return type === undefined ? Promise.resolve('an answer') : Promise.reject(answer(type));
    },
    asked: () => asked,
  };
}

test('while leaders move it is asked again, with brokers seen anew', async () => {
  const twice = failing('NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE');
  expect(await whileLeadersMove(twice.work)).toBe('an answer');
  expect(twice.asked()).toBe(3);
});

test('leaders that never settle, and anything else, are told', async () => {
  const always = failing(...Array<string>(9).fill('NOT_LEADER_FOR_PARTITION'));
  await expect(whileLeadersMove(always.work)).rejects.toThrow('NOT_LEADER_FOR_PARTITION');
  expect(always.asked()).toBe(4);
  const other = failing('UNKNOWN_TOPIC_OR_PARTITION');
  await expect(whileLeadersMove(other.work)).rejects.toThrow('UNKNOWN_TOPIC_OR_PARTITION');
  expect(other.asked()).toBe(1);
});
