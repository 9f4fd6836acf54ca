import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Admin, Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import { InputError, UnavailableError, type HeadgateError } from '../../core/errors.js';
import {
  FIRST_TOPIC_PARTITION,
  STREAMS,
  type LogPosition,
  type RawEvent,
  type Stream,
} from '../../core/raw-event.js';
import type { KafkaConfig } from '../config.js';
import type { AppendReceipt, TopicProgress } from '../warehouse/warehouse.js';
import type { Consumption, EventLog, LogHandler } from './event-log.js';
import { kafkaClient, kafkaConnection } from './kafka-client.js';
import { KafkaConsumption, type ConsumeOptions } from './kafka-consumption.js';
import { fetchEnds } from './kafka-ends.js';
import { kafkaError } from './kafka-errors.js';
import { encodeMessage } from './kafka-message.js';
import { KafkaProducer, type OutgoingMessage } from './kafka-producer.js';
import { AppendQueue, QueuedAppend, sizeOf, type Slice } from './kafka-queue.js';
import { lagsOf, storedPartition, type PartitionEnds, type PartitionLag } from './kafka-resume.js';
import { fetchTopicIds } from './kafka-topic-ids.js';
import { ensureTopics, topicName, type TopicReport } from './kafka-topics.js';

export interface KafkaLogOptions {
  readonly logger: Logger;
  /** Events waiting to be acknowledged, at most. */
  readonly queueEvents: number;
  /** HEADGATE_MAX_EVENT_BYTES: what topics that are made must take. */
  readonly maxEventBytes: number;
}

/** What makes these topics these and no others; a warehouse belongs to one. */
export interface KafkaIdentity {
  readonly generation: number;
  readonly clusterId: string;
  /** Null on brokers older than 2.8, which have none. */
  readonly topicIds: Readonly<Record<Stream, string | null>>;
}

const QUEUE_BYTES = 128 << 20;
const GROUP_EVENTS = 5_000;
/** Of a batch beside its messages; packed they are smaller than what is counted here. */
const BATCH_BYTES = 1_024;

/**
 * Connects, and makes the topics that are missing.
 *
 * @throws InputError `invalid_config` naming the setting that is wrong; UnavailableError `log_unavailable`
 */
export async function openKafkaLog(config: KafkaConfig, options: KafkaLogOptions): Promise<KafkaLog> {
  const kafka = kafkaClient(config, options.logger);
  const admin = kafka.admin();
  try {
    await admin.connect();
    const report = await ensureTopics(admin, config, options.maxEventBytes);
    for (const name of report.made) options.logger.info({ topic: name }, 'made a topic');
    for (const warning of report.warnings) options.logger.warn(warning);
    return new KafkaLog(config, options, { kafka, admin, report });
  } catch (error) {
    await admin.disconnect().catch(() => undefined);
    throw kafkaError(error, 'kafka', config);
  }
}

/** The log on Kafka: a topic for each stream, keyed by subject. What an append returned is on as many brokers as the topics ask for. */
export class KafkaLog implements EventLog {
  private readonly queue: AppendQueue;
  private readonly producer: KafkaProducer;
  private readonly maxBatchBytes: number;
  private sending: Promise<void> | null = null;
  private isClosed = false;
  private lastRecordedAtMicros = 0n;

  constructor(
    private readonly config: KafkaConfig,
    private readonly options: KafkaLogOptions,
    private readonly opened: { readonly kafka: Kafka; readonly admin: Admin; readonly report: TopicReport },
  ) {
    this.queue = new AppendQueue({ events: options.queueEvents, bytes: QUEUE_BYTES });
    this.producer = new KafkaProducer(opened.kafka, config);
    const limits = STREAMS.map((stream) => opened.report.topics[stream].maxMessageBytes);
    this.maxBatchBytes = Math.min(...limits) - BATCH_BYTES;
  }

  /** As they were when the log was opened. */
  get topics(): TopicReport {
    return this.opened.report;
  }

  get queuedEvents(): number {
    return this.queue.queuedEvents;
  }

  /** Makes sure that this process may write, before anybody waits for it. */
  connect(): Promise<void> {
    return this.producer.connect();
  }

  async append(
    events: readonly RawEvent[],
    { recordedAtMicros }: { recordedAtMicros: bigint },
  ): Promise<AppendReceipt> {
    if (this.isClosed) throw closedError();
    if (events.length === 0) return { count: 0, first: null, last: null };
    const append = new QueuedAppend(
      events.map((event) => this.messageOf(event, this.recordedFrom(recordedAtMicros))),
    );
    this.queue.add(append);
    const timer = setTimeout(() => {
      append.fail(lateError(this.config));
    }, this.config.timeoutMs);
    this.sending ??= this.sendAll();
    try {
      return await append.answer;
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Hands every message to the handler, from where the warehouse has come to, until stopped.
   *
   * @throws OtherTopicsError when the topics are not those that the warehouse was filled from
   */
  consume(handler: LogHandler, options: ConsumeOptions): Promise<Consumption> {
    const { config } = this;
    const topics = {
      ...{ config, logger: this.options.logger },
      // One of its own: in kafkajs, members of a group that share a client share what each knows of the group's offsets.
      kafka: kafkaClient(config, this.options.logger),
      ends: () => this.ends(),
      topicIds: () => this.topicIds(),
    };
    return KafkaConsumption.start(topics, handler, options);
  }

  /** What each partition of each topic holds now. */
  async ends(): Promise<PartitionEnds[]> {
    const streams = new Map(STREAMS.map((stream) => [topicName(this.config, stream), stream]));
    try {
      const ends = await fetchEnds(kafkaConnection(this.config), [...streams.keys()]);
      return ends.flatMap((end) => {
        const stream = streams.get(end.topic);
        return stream === undefined ? [] : [{ stream, ...end }];
      });
    } catch (error) {
      throw kafkaError(error, 'kafka', this.config);
    }
  }

  /** How far the warehouse is behind these ends, by what it has taken in. */
  lagBehind(ends: readonly PartitionEnds[], progress: readonly TopicProgress[]): PartitionLag[] {
    return lagsOf(ends, progress, this.config.generation);
  }

  async identity(): Promise<KafkaIdentity> {
    try {
      const { clusterId } = await this.opened.admin.describeCluster();
      const ids = await this.topicIds();
      const idOf = (stream: Stream): string | null => ids.get(topicName(this.config, stream)) ?? null;
      const topicIds = {
        executions: idOf('executions'),
        installs: idOf('installs'),
        billing: idOf('billing'),
        crm: idOf('crm'),
      };
      return { generation: this.config.generation, clusterId, topicIds };
    } catch (error) {
      throw kafkaError(error, 'kafka', this.config);
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.sending;
    await this.producer.close();
    await this.opened.admin.disconnect().catch(() => undefined);
  }

  private topicIds(): Promise<Map<string, string>> {
    const names = STREAMS.map((stream) => topicName(this.config, stream));
    return fetchTopicIds(kafkaConnection(this.config), names);
  }

  /** Partitions have no order between them: no two messages of a process are recorded at one time, and a later one never earlier. */
  private recordedFrom(recordedAtMicros: bigint): bigint {
    const next = this.lastRecordedAtMicros + 1n;
    this.lastRecordedAtMicros = recordedAtMicros > next ? recordedAtMicros : next;
    return this.lastRecordedAtMicros;
  }

  private messageOf(event: RawEvent, recordedAtMicros: bigint): OutgoingMessage {
    const message: OutgoingMessage = {
      topic: topicName(this.config, event.stream),
      key: event.subject,
      value: encodeMessage(event, recordedAtMicros),
    };
    const bytes = sizeOf(message);
    if (bytes <= this.maxBatchBytes) return message;
    throw new InputError(
      'event_too_large',
      `the event "${event.id}" of "${event.source}" takes ${bytes} bytes and a batch of topic ${message.topic} may have ${this.maxBatchBytes}; ` +
        "raise the topics' max.message.bytes, or lower HEADGATE_MAX_EVENT_BYTES",
      { status: 413 },
    );
  }

  private async sendAll(): Promise<void> {
    // Let every append of this turn of the event loop join the first send.
    await nextTurn();
    while (!this.queue.isEmpty) {
      await this.sendGroup(this.queue.takeGroup({ events: GROUP_EVENTS, bytes: this.maxBatchBytes }));
    }
    this.sending = null;
  }

  private async sendGroup(group: readonly Slice[]): Promise<void> {
    const messages = group.flatMap(({ append, from, to }) => append.messages.slice(from, to));
    if (messages.length === 0) return;
    try {
      const sent = await this.producer.send(messages, () => group.some(({ append }) => !append.isSettled));
      const positions = sent.map(({ partition, offset }) => ({
        partition: this.logPartition(partition),
        offset,
      }));
      acknowledge(group, positions);
    } catch (error) {
      await this.answerFailure(group, kafkaError(error, 'kafka', this.config));
    }
  }

  /** What time may heal is everybody's; anything else may be one append's own, and must not fail its neighbours. */
  private async answerFailure(group: readonly Slice[], error: HeadgateError): Promise<void> {
    this.options.logger.debug({ error }, 'a send failed');
    for (const slice of group) {
      if (error.retryable || group.length === 1) slice.append.fail(error);
      else await this.sendGroup([slice]);
    }
  }

  private logPartition(partition: number): number {
    return FIRST_TOPIC_PARTITION + storedPartition(partition, this.config.generation);
  }
}

function acknowledge(group: readonly Slice[], positions: readonly LogPosition[]): void {
  let at = 0;
  for (const { append, from, to } of group) {
    append.acknowledge(positions.slice(at, at + to - from));
    at += to - from;
  }
}

function lateError({ timeoutMs }: KafkaConfig): UnavailableError {
  return new UnavailableError(
    'log_unavailable',
    `kafka: the events were not acknowledged within ${timeoutMs / 1000} s (HEADGATE_KAFKA_TIMEOUT_SECONDS); send them again, ` +
      'each counts once',
    { details: { retryAfterSeconds: 5 } },
  );
}

function closedError(): UnavailableError {
  return new UnavailableError('shutting_down', 'the log is closing; send again in a few seconds', {
    details: { retryAfterSeconds: 5 },
  });
}
