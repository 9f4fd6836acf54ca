import { setTimeout as delay } from 'node:timers/promises';
import { logLevel } from 'kafkajs';
import Cluster from 'kafkajs/src/cluster/index.js';
import { createLogger } from 'kafkajs/src/loggers/index.js';
import createSocketFactory from 'kafkajs/src/network/socketFactory.js';
import { RETRY, type KafkaConnection } from './kafka-client.js';
import { hasType } from './kafka-errors.js';

const METADATA_MAX_AGE_MS = 300_000;
/** Up to the last message, whether or not somebody's transaction that it belongs to has ended. */
const READ_UNCOMMITTED = 0;

/** A leader that was just named may not know it yet, and one that moved is another now: asked again, the brokers agree. */
const MOVING = ['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE', 'REPLICA_NOT_AVAILABLE'] as const;
const WAITS_MS: readonly number[] = [100, 300, 900];

/** Does it once more, after a while, where it failed because leaders of partitions are moving. */
export async function whileLeadersMove<Result>(work: () => Promise<Result>): Promise<Result> {
  for (const waitMs of WAITS_MS) {
    try {
      return await work();
    } catch (error) {
      if (!hasType(error, ...MOVING)) throw error;
      await delay(waitMs);
    }
  }
  return work();
}

/**
 * Brokers seen anew, for a few questions. kafkajs' admin would go on for ever with the leaders and partitions that it saw first, and end
 * a partition before the first transaction that is open.
 */
export function withCluster<Result>(
  connection: KafkaConnection,
  work: (cluster: Cluster) => Promise<Result>,
): Promise<Result> {
  return whileLeadersMove(() => onNewCluster(connection, work));
}

async function onNewCluster<Result>(
  connection: KafkaConnection,
  work: (cluster: Cluster) => Promise<Result>,
): Promise<Result> {
  const cluster = new Cluster({
    ...connection,
    retry: RETRY,
    enforceRequestTimeout: true,
    socketFactory: createSocketFactory(),
    metadataMaxAge: METADATA_MAX_AGE_MS,
    isolationLevel: READ_UNCOMMITTED,
    allowAutoTopicCreation: false,
    logger: createLogger({ level: logLevel.NOTHING, logCreator: () => () => undefined }),
  });
  try {
    await cluster.connect();
    return await work(cluster);
  } finally {
    await cluster.disconnect();
  }
}
