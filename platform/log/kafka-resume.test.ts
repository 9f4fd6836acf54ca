import { describe, expect, test } from 'vitest';
import type { TopicProgress } from '../warehouse/warehouse.js';
import { resumeFrom, type PartitionEnds } from './kafka-resume.js';

const end = (partition: number, low: bigint, high: bigint): PartitionEnds => ({
  ...{ stream: 'crm', topic: 'headgate.crm', partition, low, high },
});
const taken = (topicPartition: number, lastOffset: bigint): TopicProgress => ({
  ...{ stream: 'crm', topicPartition, lastOffset },
});

describe('where to go on', () => {
  test('behind what the warehouse has; at the beginning of what it has nothing of', () => {
    const { next, lost } = resumeFrom(
      [end(0, 0n, 10n), end(1, 5n, 9n), end(2, 0n, 3n)],
      [taken(0, 6n), taken(2, 2n)],
      0,
    );
    expect([...next]).toEqual([
      ['headgate.crm 0', 7n],
      ['headgate.crm 1', 5n],
      ['headgate.crm 2', 3n],
    ]);
    expect(lost).toEqual([]);
  });

  test('what retention took before it was read is counted, and reading goes on behind it', () => {
    const { next, lost } = resumeFrom([end(0, 100n, 110n)], [taken(0, 89n)], 0);
    expect(next.get('headgate.crm 0')).toBe(100n);
    expect(lost).toEqual([{ topic: 'headgate.crm', partition: 0, first: 90n, count: 10n }]);
  });

  test.each([
    ['ends before what was taken', [end(0, 0n, 6n)], [taken(0, 6n)]],
    ['has fewer partitions than were read', [end(0, 0n, 6n)], [taken(1, 0n)]],
  ])('a topic that %s is another one, and is refused with the setting to change', (_what, ends, progress) => {
    expect(() => resumeFrom(ends, progress, 0)).toThrow(/HEADGATE_KAFKA_GENERATION=1/);
  });

  test('the next generation begins anew, beside what the one before left', () => {
    const { next } = resumeFrom([end(0, 0n, 2n)], [taken(0, 6n), taken(1, 3n)], 1);
    expect(next.get('headgate.crm 0')).toBe(0n);
    expect(resumeFrom([end(0, 0n, 2n)], [taken(0, 6n), taken(1000, 0n)], 1).next.get('headgate.crm 0')).toBe(
      1n,
    );
    expect(() => resumeFrom([end(0, 0n, 2n)], [taken(1000, 2n)], 1)).toThrow(/HEADGATE_KAFKA_GENERATION=2/);
  });
});
