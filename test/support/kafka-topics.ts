import { randomUUID } from 'node:crypto';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import { whileLeadersMove } from '../../platform/log/kafka-cluster.js';

/** A message as another client finds it. */
export interface FoundMessage {
  readonly partition: number;
  readonly offset: bigint;
  readonly key: string | null;
  readonly value: Buffer | null;
}

export function plainKafka(brokers: string): Kafka {
  return new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING });
}

export async function withAdmin<Result>(
  brokers: string,
  work: (admin: Admin) => Promise<Result>,
): Promise<Result> {
  const admin = plainKafka(brokers).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Everything that is on a topic now, by partition and offset. */
export async function readTopic(brokers: string, topic: string): Promise<FoundMessage[]> {
  const ends = await whileLeadersMove(() => withAdmin(brokers, (admin) => admin.fetchTopicOffsets(topic)));
  const left = new Map(
    ends
      .filter(({ high, low }) => BigInt(high) > BigInt(low))
      .map(({ partition, high }) => [partition, BigInt(high)]),
  );
  const found: FoundMessage[] = [];
  if (left.size === 0) return found;
  const consumer = plainKafka(brokers).consumer({ groupId: randomUUID(), maxWaitTimeInMs: 100 });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        if (!payload.restart) reject(payload.error);
      });
      const eachMessage = ({
        partition,
        message,
      }: {
        partition: number;
        message: FoundPayload;
      }): Promise<void> => {
        const offset = BigInt(message.offset);
        found.push({ partition, offset, key: message.key?.toString() ?? null, value: message.value });
        if (offset + 1n >= (left.get(partition) ?? 0n)) left.delete(partition);
        if (left.size === 0) resolve();
        return Promise.resolve();
      };
      consumer.run({ eachMessage }).catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
  return found.sort((a, b) => a.partition - b.partition || Number(a.offset - b.offset));
}

interface FoundPayload {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}
