import { setTimeout as delay } from 'node:timers/promises';
import type { Consumer, Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import { HeadgateError, invariant, UnavailableError } from '../../core/errors.js';
import { STREAMS, type Stream } from '../../core/raw-event.js';
import type { KafkaConfig } from '../config.js';
import { knownError } from '../known-error.js';
import type { TopicProgress } from '../warehouse/warehouse.js';
import { ConsumptionHealth } from './consumption-health.js';
import type { Consumption, ConsumptionStatus, LogHandler } from './event-log.js';
import { Assignment, type Look } from './kafka-assignment.js';
import { takeBatch, type BatchRules } from './kafka-batches.js';
import { kafkaError } from './kafka-errors.js';
import { OtherTopicsError, resumeFrom, storedPartition, type PartitionEnds } from './kafka-resume.js';
import { topicName } from './kafka-topics.js';

export interface ConsumeOptions {
  /** Its members share the partitions: one group for each warehouse. */
  readonly group: string;
  /** How far the warehouse has come, which is where reading goes on. */
  readonly progress: () => Promise<readonly TopicProgress[]>;
  /** After so long without a sign of life, a member's partitions go to others. */
  readonly sessionTimeoutMs?: number;
}

/** What a consumption asks of its log. */
export interface ConsumedTopics {
  readonly kafka: Kafka;
  readonly config: KafkaConfig;
  readonly logger: Logger;
  ends(): Promise<PartitionEnds[]>;
  /** Topic → its id. */
  topicIds(): Promise<ReadonlyMap<string, string>>;
}

const SESSION_TIMEOUT_MS = 30_000;
const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 10_000;
/** Packed; unpacked it may be ten times as much. What is fetched waits in memory while the warehouse does not take it. */
const FETCH_BYTES = 4 << 20;
const PARTITION_BYTES = 1 << 20;
/** A fetch waits for so much, but not longer than that: fewer and larger inserts, and a new event is still there soon. */
const WAIT_FOR_BYTES = 64 << 10;
const WAIT_MS = 250;
/** While one batch is in the warehouse's hands, the next is made ready. */
const BATCHES_AT_ONCE = 2;

/**
 * Reads the topics as a member of a consumer group. The group decides who reads which partition; where reading goes on is for the
 * warehouse to say, so that neither a warehouse that was restored nor offsets that were lost can lose an event.
 */
export class KafkaConsumption implements Consumption {
  private readonly health: ConsumptionHealth;
  private readonly streams: ReadonlyMap<string, Stream>;
  private readonly stopping = new AbortController();
  private assignment = new Assignment([], () => this.look());
  private topicIds: ReadonlyMap<string, string> | null = null;
  private endSession: (error: Error | null) => void = () => undefined;
  private running: Promise<void> = Promise.resolve();

  private constructor(
    private readonly topics: ConsumedTopics,
    private readonly handler: LogHandler,
    private readonly options: ConsumeOptions,
  ) {
    this.health = new ConsumptionHealth(topics.logger);
    this.streams = new Map(STREAMS.map((stream) => [topicName(topics.config, stream), stream]));
  }

  /** @throws OtherTopicsError when the topics are not those that the warehouse was filled from. What is away is waited for */
  static async start(
    topics: ConsumedTopics,
    handler: LogHandler,
    options: ConsumeOptions,
  ): Promise<KafkaConsumption> {
    const consumption = new KafkaConsumption(topics, handler, options);
    try {
      await consumption.look();
    } catch (error) {
      if (error instanceof OtherTopicsError) throw error;
      consumption.health.mustWait(consumption.asKnown(error));
    }
    consumption.running = consumption.run();
    return consumption;
  }

  status(): ConsumptionStatus {
    const { state, lastError, lostMessages } = this.health;
    const partitions = this.assignment.partitions.flatMap(({ topic, partition }) => {
      const stream = this.streams.get(topic);
      return stream === undefined
        ? []
        : [{ stream, partition, ...this.assignment.stateOf(topic, partition) }];
    });
    return { state, lastError, lostMessages, partitions };
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.endSession(null);
    await this.running;
    this.health.isStopped();
  }

  private async run(): Promise<void> {
    let retryMs = FIRST_RETRY_MS;
    while (!this.stopping.signal.aborted && this.health.state !== 'refused') {
      try {
        await this.session();
        retryMs = FIRST_RETRY_MS;
      } catch (error) {
        if (error instanceof OtherTopicsError) this.health.isRefused(error);
        else this.health.mustWait(this.asKnown(error));
      }
      if (this.health.state === 'waiting') {
        await delay(retryMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
        retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
      }
    }
  }

  /** One membership of the group, until it breaks or is to end. */
  private async session(): Promise<void> {
    await this.look();
    const consumer = this.topics.kafka.consumer({
      groupId: this.options.group,
      sessionTimeout: this.options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS,
      heartbeatInterval: Math.min(3_000, (this.options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS) / 3),
      maxBytes: FETCH_BYTES,
      maxBytesPerPartition: PARTITION_BYTES,
      minBytes: WAIT_FOR_BYTES,
      maxWaitTimeInMs: WAIT_MS,
      allowAutoTopicCreation: false,
      // Nobody's transactions are waited for: ours have none.
      readUncommitted: true,
      // It begins again from here, where what has changed meanwhile is looked at.
      retry: { restartOnFailure: () => Promise.resolve(false) },
    });
    const ended = new Promise<Error | null>((resolve) => {
      this.endSession = resolve;
    });
    if (this.stopping.signal.aborted) return;
    this.listen(consumer);
    const rules = this.rulesFor(consumer);
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [...this.streams.keys()], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: BATCHES_AT_ONCE,
        eachBatch: (payload) => takeBatch(payload, this.assignment, rules),
      });
      const error = await ended;
      if (error !== null) throw error;
    } finally {
      await consumer.disconnect().catch(() => undefined);
    }
  }

  private listen(consumer: Consumer): void {
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      this.endSession(payload.error);
    });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      const partitions = Object.entries(payload.memberAssignment).flatMap(([topic, numbers]) =>
        numbers.map((partition) => ({ topic, partition })),
      );
      this.assignment = new Assignment(partitions, () => this.look());
      this.health.isWell();
    });
    // A stretch without a message for us (marks of somebody's transaction): kafkajs passes it over by itself.
    consumer.on(consumer.events.START_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize === 0) this.assignment.passOver(payload);
    });
  }

  private rulesFor(consumer: Consumer): BatchRules {
    return {
      handler: this.handler,
      health: this.health,
      stopping: this.stopping.signal,
      placeOf: (topic, partition) => {
        const stream = this.streams.get(topic);
        invariant(stream !== undefined, `consumer: topic ${topic} was not asked for`);
        return { stream, topicPartition: storedPartition(partition, this.topics.config.generation) };
      },
      seek: (topic, partition, offset) => {
        consumer.seek({ topic, partition, offset: offset.toString() });
      },
      asKnown: (error) => this.asKnown(error),
      refuse: (error) => {
        this.endSession(error);
      },
    };
  }

  /** What the topics hold, and where to go on in them. */
  private async look(): Promise<Look> {
    const { config } = this.topics;
    const ids = await this.topics.topicIds();
    for (const [topic, id] of this.topicIds ?? ids) {
      // A topic that is not there has no id; that it is missing shows when it is read.
      if ((ids.get(topic) ?? id) === id) continue;
      throw new OtherTopicsError(
        `topic ${topic}: it was deleted and made again while it was read`,
        config.generation,
      );
    }
    this.topicIds ??= ids;
    const [ends, progress] = await Promise.all([this.topics.ends(), this.options.progress()]);
    const resume = resumeFrom(ends, progress, config.generation);
    this.health.hasLost(resume.lost);
    return { ...resume, ends };
  }

  /** Of the brokers, or of the handler. */
  private asKnown(error: unknown): HeadgateError {
    const known = knownError(error);
    if (known instanceof HeadgateError) return known;
    if (error instanceof Error && error.name.startsWith('KafkaJS')) {
      return kafkaError(error, 'kafka consumer', this.topics.config);
    }
    const message = error instanceof Error ? error.message : String(error);
    return new UnavailableError('unavailable', `kafka consumer: ${message}`, { cause: error });
  }
}
