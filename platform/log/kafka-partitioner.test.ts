import fc from 'fast-check';
import { Partitioners } from 'kafkajs';
import { expect, test } from 'vitest';
import { partitionOf } from './kafka-partitioner.js';

const theirs = Partitioners.DefaultPartitioner();
const partition = (partitionId: number) => ({
  ...{ partitionId, leader: 1, partitionErrorCode: 0, replicas: [1], isr: [1] },
});

test('a key has the partition that other clients give it', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', minLength: 1 }),
      fc.integer({ min: 1, max: 50 }),
      (key, count) => {
        const partitionMetadata = Array.from({ length: count }, (_, index) => partition(index));
        expect(partitionOf(Buffer.from(key), count)).toBe(
          theirs({ topic: 't', partitionMetadata, message: { key, value: '' } }),
        );
      },
    ),
  );
});
