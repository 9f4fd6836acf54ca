import { setTimeout as delay } from 'node:timers/promises';
import kafkajs, { type Admin, type DescribeConfigResponse, type ITopicConfig } from 'kafkajs';
import { InputError } from '../../core/errors.js';
import { STREAMS, type Stream } from '../../core/raw-event.js';
import type { KafkaConfig } from '../config.js';
import { hasType, kafkaError } from './kafka-errors.js';

const DAY_MS = 86_400_000;
/** What a broker takes where nobody says otherwise. */
const DEFAULT_MESSAGE_BYTES = 1_048_588;
const MINIMUM_MESSAGE_BYTES = 4 << 20;
/** Beside the event: identity and times once more, tokens that are longer than what they stand for. */
const MESSAGE_OVERHEAD = 1.25;
const MESSAGE_OVERHEAD_BYTES = 64 << 10;

export interface TopicFacts {
  readonly stream: Stream;
  readonly name: string;
  readonly partitions: number;
  readonly replication: number;
  /** Of a batch of messages as it is stored, so of one message too. */
  readonly maxMessageBytes: number;
}

export interface TopicReport {
  readonly topics: Readonly<Record<Stream, TopicFacts>>;
  /** Names of those that were made just now. */
  readonly made: readonly string[];
  /** What differs from the configuration, each with what to do. */
  readonly warnings: readonly string[];
}

export function topicName(config: KafkaConfig, stream: Stream): string {
  return `${config.topicPrefix}.${stream}`;
}

/**
 * Makes the topics that are missing, and looks at those that are there.
 *
 * @throws InputError `invalid_config` when they may not be made, with what to make by hand; UnavailableError
 */
export async function ensureTopics(
  admin: Admin,
  config: KafkaConfig,
  maxEventBytes: number,
): Promise<TopicReport> {
  try {
    const there = new Set(await admin.listTopics());
    const missing = STREAMS.map((stream) => topicName(config, stream)).filter((name) => !there.has(name));
    if (missing.length > 0) {
      await makeTopics(admin, config, missing, maxEventBytes);
      await untilKnown(admin, missing, config.timeoutMs);
    }
    return { ...(await lookAtTopics(admin, config, maxEventBytes)), made: missing };
  } catch (error) {
    throw kafkaError(error, 'kafka topics', config);
  }
}

async function makeTopics(
  admin: Admin,
  config: KafkaConfig,
  names: readonly string[],
  maxEventBytes: number,
): Promise<void> {
  const topics = names.map((name) => newTopic(name, config, maxEventBytes));
  try {
    await admin.createTopics({ topics, waitForLeaders: false, timeout: config.timeoutMs });
  } catch (error) {
    // Another process made them at the same time.
    if (hasType(error, 'TOPIC_ALREADY_EXISTS')) return;
    if (hasType(error, 'INVALID_REPLICATION_FACTOR')) {
      throw new InputError(
        'invalid_config',
        `kafka topics: ${config.replication} replicas are more than there are brokers; lower HEADGATE_KAFKA_REPLICATION`,
        { cause: error },
      );
    }
    const isForbidden = hasType(error, 'CLUSTER_AUTHORIZATION_FAILED', 'TOPIC_AUTHORIZATION_FAILED');
    if (!isForbidden && !hasType(error, 'POLICY_VIOLATION', 'INVALID_PARTITIONS', 'INVALID_CONFIG'))
      throw error;
    throw new InputError(
      'invalid_config',
      `kafka topics: ${names.join(', ')} are missing (HEADGATE_KAFKA_TOPIC_PREFIX is ${config.topicPrefix}) and may not be made from ` +
        `here; make them by hand, and let the user Describe them: ${byHand(topics)}`,
      { cause: error, details: { missing: names } },
    );
  }
}

/** How often a broker is asked about a topic that was made a moment ago. */
const ASKED_AGAIN_MS = 100;

/**
 * Waits until topics that were just made are known and have leaders. The client's own waiting gives up at the first answer of a broker
 * that has not heard of them yet, which a busy one gives.
 */
export async function untilKnown(admin: Admin, names: readonly string[], timeoutMs: number): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs);
  for (;;) {
    try {
      await admin.fetchTopicMetadata({ topics: [...names] });
      return;
    } catch (error) {
      if (signal.aborted || !hasType(error, 'UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE'))
        throw error;
      await delay(ASKED_AGAIN_MS);
    }
  }
}

function newTopic(topic: string, config: KafkaConfig, maxEventBytes: number): ITopicConfig {
  const entries = {
    'cleanup.policy': 'delete',
    'retention.ms': String(config.retentionDays * DAY_MS),
    'retention.bytes': '-1',
    'max.message.bytes': String(neededMessageBytes(maxEventBytes)),
    // An acknowledged message is on two brokers at least, where there are as many.
    ...(config.replication >= 2
      ? { 'min.insync.replicas': String(Math.max(2, config.replication - 1)) }
      : {}),
  };
  return {
    topic,
    numPartitions: config.partitions,
    replicationFactor: config.replication,
    configEntries: Object.entries(entries).map(([name, value]) => ({ name, value })),
  };
}

function neededMessageBytes(maxEventBytes: number): number {
  return Math.max(
    MINIMUM_MESSAGE_BYTES,
    Math.ceil(maxEventBytes * MESSAGE_OVERHEAD) + MESSAGE_OVERHEAD_BYTES,
  );
}

function byHand(topics: readonly ITopicConfig[]): string {
  return topics
    .map(({ topic, numPartitions, replicationFactor, configEntries = [] }) => {
      const configs = configEntries.map(({ name, value }) => ` --config ${name}=${value}`).join('');
      return `kafka-topics.sh --create --topic ${topic} --partitions ${numPartitions ?? 1} --replication-factor ${replicationFactor ?? 1}${configs}`;
    })
    .join('; ');
}

async function lookAtTopics(
  admin: Admin,
  config: KafkaConfig,
  maxEventBytes: number,
): Promise<Omit<TopicReport, 'made'>> {
  const names = STREAMS.map((stream) => topicName(config, stream));
  const { topics: metadata } = await admin.fetchTopicMetadata({ topics: names });
  const settings = await settingsOf(admin, names);
  const warnings: string[] =
    settings === null ? ['kafka topics: their settings may not be read; allow DescribeConfigs'] : [];
  const factsOf = (stream: Stream): TopicFacts => {
    const name = topicName(config, stream);
    const partitions = metadata.find((topic) => topic.name === name)?.partitions ?? [];
    const setting = settings?.get(name) ?? new Map<string, string>();
    const facts = {
      ...{ stream, name, partitions: partitions.length },
      replication: partitions[0]?.replicas.length ?? 0,
      maxMessageBytes: Number(setting.get('max.message.bytes') ?? DEFAULT_MESSAGE_BYTES),
    };
    warnings.push(
      ...differences(facts, setting, config, maxEventBytes).map((text) => `topic ${name}: ${text}`),
    );
    return facts;
  };
  const topics = {
    executions: factsOf('executions'),
    installs: factsOf('installs'),
    billing: factsOf('billing'),
    crm: factsOf('crm'),
  };
  return { topics, warnings };
}

/** Null where they may not be read. */
async function settingsOf(
  admin: Admin,
  names: readonly string[],
): Promise<Map<string, Map<string, string>> | null> {
  let described: DescribeConfigResponse;
  try {
    described = await admin.describeConfigs({
      includeSynonyms: false,
      resources: names.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
    });
  } catch (error) {
    if (hasType(error, 'TOPIC_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED')) return null;
    throw error;
  }
  return new Map(
    described.resources.map(({ resourceName, configEntries }) => [
      resourceName,
      new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  );
}

function differences(
  { partitions, replication, maxMessageBytes }: TopicFacts,
  setting: ReadonlyMap<string, string>,
  config: KafkaConfig,
  maxEventBytes: number,
): string[] {
  const found: string[] = [];
  if (partitions !== config.partitions) {
    found.push(
      `has ${partitions} partitions and HEADGATE_KAFKA_PARTITIONS is ${config.partitions}; it keeps its own`,
    );
  }
  if (replication < config.replication) {
    found.push(
      `has ${replication} replicas and HEADGATE_KAFKA_REPLICATION is ${config.replication}; reassign its partitions`,
    );
  }
  const neededBytes = neededMessageBytes(maxEventBytes);
  if (maxMessageBytes < neededBytes) {
    found.push(
      `takes messages of ${maxMessageBytes} bytes and HEADGATE_MAX_EVENT_BYTES is ${maxEventBytes}; ` +
        `set its max.message.bytes to ${neededBytes}, or events that are larger are refused`,
    );
  }
  const retentionMs = Number(setting.get('retention.ms') ?? -1);
  if (retentionMs >= 0 && retentionMs < config.retentionDays * DAY_MS) {
    found.push(
      `keeps messages ${Number((retentionMs / DAY_MS).toFixed(2))} days and HEADGATE_KAFKA_RETENTION_DAYS is ${config.retentionDays}; ` +
        `set its retention.ms to ${config.retentionDays * DAY_MS}`,
    );
  }
  if (Number(setting.get('retention.bytes') ?? -1) >= 0) {
    found.push('drops messages by size, which may be before they are read; set its retention.bytes to -1');
  }
  if ((setting.get('cleanup.policy') ?? 'delete') !== 'delete') {
    found.push(
      'is compacted, which drops all but the last event of an org; set its cleanup.policy to delete',
    );
  }
  const inSync = Number(setting.get('min.insync.replicas') ?? 2);
  if (replication >= 2 && inSync < 2) {
    found.push('acknowledges what a single broker has; set its min.insync.replicas to 2');
  }
  return found;
}
