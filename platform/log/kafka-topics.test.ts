import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join, dirname } from 'node:path';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ConfigResourceTypes,
  KafkaJSProtocolError,
  ResourcePatternTypes,
  type Admin,
} from 'kafkajs';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../test/support/free-port.js';
import { hasKafka, startKafka, type KafkaBroker } from '../../test/support/kafka.js';
import { KAFKA_USER } from '../../test/support/kafka-settings.js';
import { withAdmin } from '../../test/support/kafka-topics.js';
import { loadConfig, type KafkaConfig } from '../config.js';
import { logEvent } from './event-log.contract.js';
import { openKafkaLog, type KafkaLog } from './kafka-log.js';
import { untilKnown } from './kafka-topics.js';

const DAY_MS = 86_400_000;
const logger = pino({ level: 'silent' });

describe.runIf(hasKafka())('topics and access on a real broker', () => {
  let broker: KafkaBroker;
  beforeAll(async () => {
    broker = await startKafka({
      secure: true,
      settings: { 'listener.name.sasltls.sasl.enabled.mechanisms': 'SCRAM-SHA-512' },
    });
  });
  afterAll(() => broker.stop());

  const newPrefix = (): string => `test-${randomUUID().slice(0, 8)}`;
  function configOf(changes: Record<string, string> = {}): KafkaConfig {
    const { kafka } = loadConfig({
      KAFKA_BROKERS: broker.brokers,
      HEADGATE_KAFKA_TOPIC_PREFIX: newPrefix(),
      HEADGATE_KAFKA_TIMEOUT_SECONDS: '3',
      ...changes,
    });
    if (kafka === null) throw new Error('no Kafka in the configuration');
    return kafka;
  }
  const open = (config: KafkaConfig, maxEventBytes = 1 << 20): Promise<KafkaLog> =>
    openKafkaLog(config, { logger, queueEvents: 1000, maxEventBytes });
  const on = (port: number): Record<string, string> => ({ KAFKA_BROKERS: `127.0.0.1:${port}` });
  const login = (changes: Record<string, string> = {}): Record<string, string> => ({
    HEADGATE_KAFKA_SASL: 'scram-sha-512',
    HEADGATE_KAFKA_USERNAME: KAFKA_USER.username,
    HEADGATE_KAFKA_PASSWORD: KAFKA_USER.password,
    ...changes,
  });
  const settingsOf = (topic: string): Promise<Record<string, string>> =>
    withAdmin(broker.brokers, async (admin) => {
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
      });
      const entries = resources[0]?.configEntries ?? [];
      return Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue]));
    });

  /** What the error of an open that must fail says. */
  async function refusal(config: KafkaConfig): Promise<{ code: string; message: string }> {
    const outcome = await open(config).then(
      async (log) => {
        await log.close();
        return null;
      },
      (error: unknown) => error,
    );
    if (!(outcome instanceof Error) || !('code' in outcome)) throw new Error('it was not refused');
    return { code: String(outcome.code), message: outcome.message };
  }

  test('what is missing is made as the configuration says, once, by whoever comes first', async () => {
    const config = configOf({ HEADGATE_KAFKA_PARTITIONS: '3', HEADGATE_KAFKA_RETENTION_DAYS: '7' });
    const logs = await Promise.all([open(config), open(config)]);
    const { topics, warnings } = logs[0].topics;
    expect(topics.crm).toMatchObject({ name: `${config.topicPrefix}.crm`, partitions: 3, replication: 1 });
    expect(warnings).toEqual([]);
    expect(await settingsOf(`${config.topicPrefix}.billing`)).toMatchObject({
      'retention.ms': String(7 * DAY_MS),
      'retention.bytes': '-1',
      'cleanup.policy': 'delete',
      'max.message.bytes': String(4 << 20),
    });
    await Promise.all(logs.map((log) => log.close()));
    const again = await open(config);
    expect(again.topics.made).toEqual([]);
    await again.close();
  });

  test('topics that are there keep what they have, and each difference is told with what to do', async () => {
    const config = configOf();
    const topic = `${config.topicPrefix}.executions`;
    await withAdmin(broker.brokers, async (admin) => {
      await admin.createTopics({
        waitForLeaders: false,
        topics: [
          {
            ...{ topic, numPartitions: 2, replicationFactor: 1 },
            configEntries: Object.entries({
              'retention.ms': String(DAY_MS),
              'retention.bytes': '1000000',
              'cleanup.policy': 'compact,delete',
            }).map(([name, value]) => ({ name, value })),
          },
        ],
      });
      await untilKnown(admin, [topic], 30_000);
    });
    const log = await open(config);
    expect(log.topics.topics.executions).toMatchObject({ partitions: 2, maxMessageBytes: 1_048_588 });
    const said = log.topics.warnings.join('\n');
    for (const word of [
      /executions: has 2 partitions and HEADGATE_KAFKA_PARTITIONS is 6/,
      /HEADGATE_MAX_EVENT_BYTES is 1048576; set its max.message.bytes to 4194304/,
      /keeps messages 1 days and HEADGATE_KAFKA_RETENTION_DAYS is 30; set its retention.ms/,
      /retention.bytes to -1/,
      /cleanup.policy to delete/,
    ]) {
      expect(said).toMatch(word);
    }
    expect(said).not.toMatch(/\.crm/);
    // Batches fit into the smallest topic.
    const many = Array.from({ length: 6_000 }, (_, index) => ({
      ...logEvent(`evt_${index}`),
      data: JSON.stringify({ noise: randomUUID().repeat(8) }),
    }));
    expect(await log.append(many.slice(0, 1_000), { recordedAtMicros: 1n })).toMatchObject({ count: 1_000 });
    await expect(
      log.append([{ ...logEvent('2 MB'), data: JSON.stringify({ text: 'x'.repeat(2 << 20) }) }], {
        recordedAtMicros: 1n,
      }),
    ).rejects.toMatchObject({ code: 'event_too_large', status: 413 });
    await log.close();
  });

  test('a topic that was deleted and made again has another identity; otherwise it stays the same', async () => {
    const config = configOf();
    const log = await open(config);
    const before = await log.identity();
    expect(before).toMatchObject({ generation: 0, clusterId: expect.stringMatching(/^K/) as string });
    expect(new Set(Object.values(before.topicIds)).size).toBe(4);
    const topic = `${config.topicPrefix}.crm`;
    await withAdmin(broker.brokers, (admin) => admin.deleteTopics({ topics: [topic] }));
    await expect
      .poll(() => withAdmin(broker.brokers, (admin) => admin.listTopics()), { timeout: 10_000 })
      .not.toContain(topic);
    const again = await open(config);
    const after = await again.identity();
    expect(after.topicIds).toEqual({ ...before.topicIds, crm: after.topicIds.crm });
    expect(after.topicIds.crm).not.toBe(before.topicIds.crm);
    await log.close();
    await again.close();
  });

  test('more replicas than brokers: the setting to lower', async () => {
    const { code, message } = await refusal(configOf({ HEADGATE_KAFKA_REPLICATION: '3' }));
    expect(code).toBe('invalid_config');
    expect(message).toMatch(/lower HEADGATE_KAFKA_REPLICATION/);
  });

  test('topics are missing and may not be made: what to make by hand', async () => {
    const config = configOf({ ...on(broker.ports.sasl), ...login() });
    const { code, message } = await refusal(config);
    expect(code).toBe('invalid_config');
    expect(message).toContain(`${config.topicPrefix}.installs`);
    expect(message).toContain(
      `kafka-topics.sh --create --topic ${config.topicPrefix}.crm --partitions 6 --replication-factor 1 ` +
        `--config cleanup.policy=delete --config retention.ms=${30 * DAY_MS}`,
    );
  });

  test('a user who may do what the error asks for, and no more, can write; one who may not is told', async () => {
    const config = configOf({
      ...on(broker.ports.saslTls),
      ...login(),
      HEADGATE_KAFKA_TLS: 'true',
      HEADGATE_KAFKA_CA_FILE: broker.caFile,
    });
    const made = await open({ ...config, brokers: [broker.brokers], tls: false, sasl: null });
    await made.close();
    const acl = (resourceType: AclResourceTypes, resourceName: string, operation: AclOperationTypes) => ({
      ...{ resourceType, resourceName, operation, host: '*', principal: `User:${KAFKA_USER.username}` },
      resourcePatternType: ResourcePatternTypes.PREFIXED,
      permissionType: AclPermissionTypes.ALLOW,
    });
    const { TOPIC } = AclResourceTypes;
    const { DESCRIBE, DESCRIBE_CONFIGS, READ, WRITE } = AclOperationTypes;
    await withAdmin(broker.brokers, (admin) =>
      admin.createAcls({
        acl: [DESCRIBE, DESCRIBE_CONFIGS, READ].map((operation) => acl(TOPIC, config.topicPrefix, operation)),
      }),
    );
    // The broker comes to know of it a moment later.
    await expect.poll(() => open(config).then((one) => one.close())).toBeUndefined();
    const log = await open(config);
    await expect(log.append([logEvent('a')], { recordedAtMicros: 1n })).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringMatching(/forbid it.*Write the topics/) as string,
    });
    await withAdmin(broker.brokers, (admin) =>
      admin.createAcls({ acl: [acl(TOPIC, config.topicPrefix, WRITE)] }),
    );
    await expect
      .poll(() =>
        log.append([logEvent('b')], { recordedAtMicros: 1n }).then(
          ({ count }) => count,
          () => 0,
        ),
      )
      .toBe(1);
    await log.close();
  });

  test('a wrong password, and a mechanism that is not offered, name the settings and not the password', async () => {
    const wrong = await refusal(
      configOf({ ...on(broker.ports.sasl), ...login({ HEADGATE_KAFKA_PASSWORD: 'hunter2' }) }),
    );
    expect(wrong).toMatchObject({ code: 'invalid_config' });
    expect(wrong.message).toMatch(/HEADGATE_KAFKA_USERNAME, HEADGATE_KAFKA_PASSWORD/);
    expect(wrong.message).not.toContain('hunter2');
    const mechanism = { ...login({ HEADGATE_KAFKA_SASL: 'plain' }), HEADGATE_KAFKA_TLS: 'true' };
    const other = await refusal(
      configOf({ ...on(broker.ports.saslTls), ...mechanism, HEADGATE_KAFKA_CA_FILE: broker.caFile }),
    );
    expect(other.message).toMatch(/mechanism plain; change HEADGATE_KAFKA_SASL/);
  });

  test('TLS and its absence, an unknown authority, and a missing password name the setting to change', async () => {
    const { plain, tls, sasl } = broker.ports;
    const withTls = { HEADGATE_KAFKA_TLS: 'true' };
    const otherCa = join(dirname(broker.caFile), 'no.pem');
    const cases: readonly (readonly [Record<string, string>, string, RegExp])[] = [
      [{ ...on(tls), ...withTls }, 'invalid_config', /HEADGATE_KAFKA_CA_FILE/],
      [{ ...on(plain), ...withTls }, 'invalid_config', /HEADGATE_KAFKA_TLS=false/],
      [
        { ...on(tls), ...withTls, HEADGATE_KAFKA_CA_FILE: otherCa },
        'invalid_config',
        /HEADGATE_KAFKA_CA_FILE: cannot read/,
      ],
      [on(tls), 'log_unavailable', /HEADGATE_KAFKA_TLS=true/],
      [on(sasl), 'log_unavailable', /HEADGATE_KAFKA_SASL/],
      [on(await freePort()), 'log_unavailable', /KAFKA_BROKERS/],
      [{ KAFKA_BROKERS: 'no-such-host.invalid:9092' }, 'log_unavailable', /KAFKA_BROKERS/],
    ];
    for (const [changes, code, words] of cases) {
      const found = await refusal(configOf(changes));
      expect(found.message).toMatch(words);
      expect(found.code).toBe(code);
    }
    writeFileSync(otherCa, 'not a certificate');
    const junk = await refusal(configOf({ ...on(tls), ...withTls, HEADGATE_KAFKA_CA_FILE: otherCa }));
    expect(junk.message).toMatch(/HEADGATE_KAFKA_CA_FILE/);
    // TLS alone says nothing of who comes: on this broker such a one may do everything.
    await (await open(configOf({ ...on(tls), ...withTls, HEADGATE_KAFKA_CA_FILE: broker.caFile }))).close();
  });
});

describe('a topic that was just made', () => {
  const refusal = (type: string) => new KafkaJSProtocolError(Object.assign(new Error(type), { type }));
  const adminThat = (...answers: readonly (Error | null)[]) => {
    let asked = 0;
    const fetchTopicMetadata = () => {
      const answer = answers[Math.min(asked, answers.length - 1)];
      asked += 1;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve({ topics: [] });
    };
    return { admin: { fetchTopicMetadata } as unknown as Admin, asked: () => asked };
  };

  test('is waited for until the broker has heard of it and it has a leader', async () => {
    const { admin, asked } = adminThat(
      refusal('UNKNOWN_TOPIC_OR_PARTITION'),
      refusal('LEADER_NOT_AVAILABLE'),
      null,
    );
    await untilKnown(admin, ['t'], 10_000);
    expect(asked()).toBe(3);
  });

  test('is not waited for longer than was said, nor where something else is wrong', async () => {
    const never = adminThat(refusal('UNKNOWN_TOPIC_OR_PARTITION'));
    await expect(untilKnown(never.admin, ['t'], 250)).rejects.toThrow('UNKNOWN_TOPIC_OR_PARTITION');
    const forbidden = adminThat(refusal('TOPIC_AUTHORIZATION_FAILED'));
    await expect(untilKnown(forbidden.admin, ['t'], 10_000)).rejects.toThrow('TOPIC_AUTHORIZATION_FAILED');
    expect(forbidden.asked()).toBe(1);
  });
});
