import type { KafkaConnection } from './kafka-client.js';
import { withCluster } from './kafka-cluster.js';

export interface TopicEnds {
  readonly topic: string;
  readonly partition: number;
  readonly low: bigint;
  readonly high: bigint;
}

/** What each partition of these topics holds: offsets from `low` up to, not including, `high`. */
export async function fetchEnds(
  connection: KafkaConnection,
  topics: readonly string[],
): Promise<TopicEnds[]> {
  const { lows, highs } = await withCluster(connection, async (cluster) => {
    await cluster.addMultipleTargetTopics([...topics]);
    const at = (fromBeginning: boolean) =>
      topics.map((topic) => ({
        topic,
        fromBeginning,
        partitions: cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => ({
          partition: partitionId,
        })),
      }));
    // The end after the beginning: what retention takes in between can't make a partition begin behind its end.
    const lows = await cluster.fetchTopicsOffset(at(true));
    const highs = await cluster.fetchTopicsOffset(at(false));
    return { lows, highs };
  });
  return highs.flatMap(({ topic, partitions }) => {
    const low = new Map(
      lows.find((one) => one.topic === topic)?.partitions.map(({ partition, offset }) => [partition, offset]),
    );
    return partitions.map(({ partition, offset }) => ({
      ...{ topic, partition },
      low: BigInt(low.get(partition) ?? offset),
      high: BigInt(offset),
    }));
  });
}
