import type { Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import { HeadgateError, invariant, UnavailableError } from '../../core/errors.js';
import { STREAMS, type Stream } from '../../core/raw-event.js';
import type { KafkaConfig } from '../config.js';
import { knownError } from '../known-error.js';
import type { TopicProgress } from '../warehouse/warehouse.js';
import { ConsumptionHealth } from './consumption-health.js';
import type { Consumption, ConsumptionStatus, LogHandler } from './event-log.js';
import type { Look } from './kafka-assignment.js';
import { kafkaError } from './kafka-errors.js';
import { askForFetchedIds } from './kafka-fetched-ids.js';
import { Membership, type MembershipRules } from './kafka-membership.js';
import { OtherTopicsError, resumeFrom, storedPartition, type PartitionEnds } from './kafka-resume.js';
import { topicName } from './kafka-topics.js';
import { Patience } from './patience.js';

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
/** What breaks a membership that is older has nothing to do with what broke the one before. */
const LASTING_MS = 60_000;
/** Packed; unpacked it may be ten times as much. What is fetched waits in memory while the warehouse does not take it. */
const FETCH_BYTES = 4 << 20;
const PARTITION_BYTES = 1 << 20;
/** A fetch waits for so much, but not longer than that: fewer and larger inserts, and a new event is still there soon. */
const WAIT_FOR_BYTES = 64 << 10;
const WAIT_MS = 250;

/**
 * Reads the topics as a member of a consumer group. The group decides who reads which partition; where reading goes on is for the
 * warehouse to say, so that neither a warehouse that was restored nor offsets that were lost can lose an event.
 */
export class KafkaConsumption implements Consumption {
  private readonly health: ConsumptionHealth;
  private readonly streams: ReadonlyMap<string, Stream>;
  private readonly stopping = new AbortController();
  private membership: Membership | null = null;
  /** As they were when the topics were first seen whole. */
  private topicIds: ReadonlyMap<string, string> = new Map();
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
    const assignment = this.membership?.assignment;
    const partitions = assignment?.partitions.flatMap(({ topic, partition }) => {
      const stream = this.streams.get(topic);
      return stream === undefined ? [] : [{ stream, partition, ...assignment.stateOf(topic, partition) }];
    });
    return { state, lastError, lostMessages, partitions: partitions ?? [] };
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.membership?.end(null);
    await this.running;
    this.health.isStopped();
  }

  private async run(): Promise<void> {
    const patience = new Patience(this.stopping.signal);
    while (!this.stopping.signal.aborted && this.health.state !== 'refused') {
      const began = performance.now();
      try {
        await this.readAsMember();
      } catch (error) {
        if (error instanceof OtherTopicsError) {
          this.health.isRefused(error);
          return;
        }
        this.health.mustWait(this.asKnown(error));
        if (performance.now() - began > LASTING_MS) patience.renew();
        await patience.wait();
      }
    }
  }

  private async readAsMember(): Promise<void> {
    this.membership = null;
    await this.look();
    if (this.stopping.signal.aborted) return;
    askForFetchedIds();
    const { group, sessionTimeoutMs = SESSION_TIMEOUT_MS } = this.options;
    const consumer = this.topics.kafka.consumer({
      groupId: group,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: Math.min(3_000, sessionTimeoutMs / 3),
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
    this.membership = new Membership(consumer, this.rules());
    await this.membership.read([...this.streams.keys()]);
  }

  private rules(): MembershipRules {
    return {
      handler: this.handler,
      health: this.health,
      stopping: this.stopping.signal,
      look: () => this.look(),
      placeOf: (topic, partition) => {
        const stream = this.streams.get(topic);
        invariant(stream !== undefined, `consumer: topic ${topic} was not asked for`);
        return { stream, topicPartition: storedPartition(partition, this.topics.config.generation) };
      },
      topicIdOf: (topic) => this.topicIds.get(topic) ?? null,
      asKnown: (error) => this.asKnown(error),
    };
  }

  /** What the topics hold, and where to go on in them. */
  private async look(): Promise<Look> {
    const { config } = this.topics;
    const ids = await this.topics.topicIds();
    for (const [topic, id] of this.topicIds) {
      // A topic that is not there has no id; that it is missing shows when its ends are asked for.
      if ((ids.get(topic) ?? id) === id) continue;
      throw new OtherTopicsError(
        `topic ${topic}: it was deleted and made again while it was read`,
        config.generation,
      );
    }
    const [ends, progress] = await Promise.all([this.topics.ends(), this.options.progress()]);
    const resume = resumeFrom(ends, progress, config.generation);
    // Only now: they hold what the warehouse was filled from, or what it has nothing of yet.
    this.topicIds = new Map([...ids, ...this.topicIds]);
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
