import { setTimeout as delay } from 'node:timers/promises';
import {
  CompressionTypes,
  type Kafka,
  type Message,
  type Producer,
  type RecordMetadata,
  type TopicMessages,
} from 'kafkajs';
import { invariant, UnavailableError } from '../../core/errors.js';
import type { KafkaConfig } from '../config.js';
import { Deadline } from './deadline.js';
import { requestTimeoutMs } from './kafka-client.js';
import { kafkaError } from './kafka-errors.js';
import { subjectPartitioner } from './kafka-partitioner.js';

export interface OutgoingMessage extends Message {
  readonly topic: string;
  readonly key: string;
  readonly value: Buffer;
}

/** By the topic's own numbers. */
export interface SentPosition {
  readonly partition: number;
  readonly offset: bigint;
}

const ALL_REPLICAS = -1;
const RETRY_EVERY_MS = 250;

/**
 * One send at a time, acknowledged by all replicas, by a producer that the brokers know: what kafkajs sends again because an answer was
 * lost is there once.
 *
 * That holds for the sends of one producer alone. When kafkajs gives a send up, it sets its numbering back, though the send may have
 * arrived; the next one would then carry the same numbers, and the brokers would take it for the one before and drop it, acknowledged.
 * So a producer is never used again after a send of its own failed.
 */
export class KafkaProducer {
  private current: Promise<Producer> | null = null;

  constructor(
    private readonly kafka: Kafka,
    private readonly config: KafkaConfig,
  ) {}

  /** Connects ahead of the first send, so that what is wrong shows at the start. */
  async connect(): Promise<void> {
    const connecting = this.connected();
    try {
      await connecting;
    } catch (error) {
      if (this.current === connecting) this.current = null;
      throw kafkaError(error, 'kafka', this.config);
    }
  }

  /**
   * Sends until all messages are acknowledged, the time is over or nobody waits for them any more. Returns where they stand, in their
   * order.
   *
   * @throws UnavailableError: some may be in the log all the same
   */
  async send(messages: readonly OutgoingMessage[], isAwaited: () => boolean): Promise<SentPosition[]> {
    const deadline = new Deadline(this.config.timeoutMs, () => timeoutError(this.config));
    try {
      for (;;) {
        try {
          return positionsOf(messages, await this.attempt(messages, deadline));
        } catch (error) {
          const known = kafkaError(error, 'kafka', this.config);
          if (!known.retryable || deadline.isOver || !isAwaited()) throw known;
          await delay(RETRY_EVERY_MS);
        }
      }
    } finally {
      deadline.cancel();
    }
  }

  async close(): Promise<void> {
    const { current } = this;
    this.current = null;
    await current?.then(disconnect, () => undefined);
  }

  private async attempt(messages: readonly OutgoingMessage[], deadline: Deadline): Promise<RecordMetadata[]> {
    const connecting = this.connected();
    const sending = connecting.then((producer) =>
      producer.sendBatch({
        acks: ALL_REPLICAS,
        timeout: requestTimeoutMs(this.config),
        compression: CompressionTypes.GZIP,
        topicMessages: byTopic(messages),
      }),
    );
    try {
      return await deadline.limit(sending);
    } catch (error) {
      if (this.current === connecting) this.current = null;
      // kafkajs goes on with it for a while, and would connect again to do so.
      void sending.catch(() => undefined).then(() => connecting.then(disconnect, () => undefined));
      throw error;
    }
  }

  private connected(): Promise<Producer> {
    this.current ??= this.newProducer();
    return this.current;
  }

  private async newProducer(): Promise<Producer> {
    const producer = this.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: subjectPartitioner,
    });
    try {
      await producer.connect();
      return producer;
    } catch (error) {
      await disconnect(producer);
      throw error;
    }
  }
}

async function disconnect(producer: Producer): Promise<void> {
  await producer.disconnect().catch(() => undefined);
}

function byTopic(messages: readonly OutgoingMessage[]): TopicMessages[] {
  const topics = new Map<string, OutgoingMessage[]>();
  for (const message of messages) {
    const known = topics.get(message.topic);
    if (known) known.push(message);
    else topics.set(message.topic, [message]);
  }
  return [...topics].map(([topic, ofTopic]) => ({ topic, messages: ofTopic }));
}

/** A partition's messages of one send stand one behind the other, in the order given. */
function positionsOf(
  messages: readonly OutgoingMessage[],
  results: readonly RecordMetadata[],
): SentPosition[] {
  const next = new Map<string, bigint>();
  for (const { topicName, partition, baseOffset } of results) {
    if (baseOffset !== undefined) next.set(`${topicName} ${partition}`, BigInt(baseOffset));
  }
  return messages.map(({ topic, partition }) => {
    const key = `${topic} ${partition ?? -1}`;
    const offset = next.get(key);
    invariant(partition !== undefined && offset !== undefined, `kafka: no answer for ${key}`);
    next.set(key, offset + 1n);
    return { partition, offset };
  });
}

function timeoutError({ timeoutMs, brokers }: KafkaConfig): UnavailableError {
  return new UnavailableError(
    'log_unavailable',
    `kafka: ${brokers.join(',')} did not acknowledge within ${timeoutMs / 1000} s (HEADGATE_KAFKA_TIMEOUT_SECONDS); send again`,
    { details: { retryAfterSeconds: 5 } },
  );
}
