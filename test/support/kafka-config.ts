import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { loadConfig, type KafkaConfig } from '../../platform/config.js';
import { openKafkaLog, type KafkaLog } from '../../platform/log/kafka-log.js';
import type { KafkaBroker } from './kafka.js';

const logger = pino({ level: 'silent' });

/** Topics of a test's own on a broker. */
export function kafkaConfigFor(
  broker: KafkaBroker,
  changes: Readonly<Record<string, string>> = {},
): KafkaConfig {
  const { kafka } = loadConfig({
    KAFKA_BROKERS: broker.brokers,
    HEADGATE_KAFKA_TOPIC_PREFIX: `test-${randomUUID().slice(0, 8)}`,
    HEADGATE_KAFKA_PARTITIONS: '2',
    HEADGATE_KAFKA_TIMEOUT_SECONDS: '6',
    ...changes,
  });
  if (kafka === null) throw new Error('no Kafka in the configuration');
  return kafka;
}

/** What goes through the broker's proxy, which can lose it. */
export function throughProxy({ ports }: KafkaBroker): { readonly KAFKA_BROKERS: string } {
  return { KAFKA_BROKERS: `127.0.0.1:${ports.proxy}` };
}

export function openTestLog(
  config: KafkaConfig,
  options: { queueEvents?: number; maxEventBytes?: number } = {},
): Promise<KafkaLog> {
  return openKafkaLog(config, { logger, queueEvents: 1_000, maxEventBytes: 1 << 20, ...options });
}
