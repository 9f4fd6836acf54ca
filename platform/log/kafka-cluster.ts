import { logLevel } from 'kafkajs';
import Cluster from 'kafkajs/src/cluster/index.js';
import { createLogger } from 'kafkajs/src/loggers/index.js';
import createSocketFactory from 'kafkajs/src/network/socketFactory.js';
import { RETRY, type KafkaConnection } from './kafka-client.js';

const METADATA_MAX_AGE_MS = 300_000;
/** Up to the last message, whether or not somebody's transaction that it belongs to has ended. */
const READ_UNCOMMITTED = 0;

/**
 * Brokers seen anew, for a few questions. kafkajs' admin would go on for ever with the leaders and partitions that it saw first, and end
 * a partition before the first transaction that is open.
 */
export async function withCluster<Result>(
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
